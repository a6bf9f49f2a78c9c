export const id = 582;
export const ids = [582];
export const modules = {

/***/ 582:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ S)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(306);
/* harmony import */ var _bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(791);
/* harmony import */ var _names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(657);
/* harmony import */ var _types_DPdTSu2i_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(576);
const _=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().min(1).max(_bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__.t.longName).regex(_names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_3__.n,_names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_3__.t),v=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().min(0).max(2**53-1),y=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.l)(),b=y.refine(e=>(0,_bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__.a)(e)<=_bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__.t.taskBytes,`a task may have at most ${_bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__.t.taskBytes} bytes as JSON`),x=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)({progress:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)({done:v,total:v.nullish(),errors:v.optional()}),metric:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)({name:_,value:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().min(-_types_DPdTSu2i_js__WEBPACK_IMPORTED_MODULE_4__.o).max(_types_DPdTSu2i_js__WEBPACK_IMPORTED_MODULE_4__.o),unit:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().max(_bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__.r.unit).optional(),agg:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.t)(_types_DPdTSu2i_js__WEBPACK_IMPORTED_MODULE_4__.n).optional(),count:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().int().min(1).optional()}),histogram:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__._)([(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)({name:_,value:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().int().min(0).max(2**53-1)}),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)({name:_,values:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.r)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().int().min(0).max(2**53-1)).min(1)}),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)({name:_,encoded:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.i)().min(1)})]),annotation:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)({path:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().min(1).max(_bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__.t.path).optional(),line:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().int().min(1).optional(),level:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.t)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().optional(),message:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().min(1)}),output:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.m)(_,y),tasks:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.r)(b).max(_bounds_tl_juOg2_js__WEBPACK_IMPORTED_MODULE_2__.r.tasks)}).partial();function S(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=x.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let i=r.path.join(`.`);return (0,_names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_3__.r)(`${i===``?``:`${i}: `}${r.message}`).slice(0,1e3)}

/***/ })

};
