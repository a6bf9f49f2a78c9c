export const id = 880;
export const ids = [880];
export const modules = {

/***/ 880:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ _)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(123);
/* harmony import */ var _names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(657);
/* harmony import */ var _metrics_Bs4ZzG0D_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(675);
const p=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().min(1).max(200).regex(_names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_2__.n,_names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_2__.t),m=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().min(0).max(2**53-1),h=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.c)(),g=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({progress:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({done:m,total:m.nullish(),errors:m.optional()}),metric:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:p,value:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().min(-_metrics_Bs4ZzG0D_js__WEBPACK_IMPORTED_MODULE_3__.t).max(_metrics_Bs4ZzG0D_js__WEBPACK_IMPORTED_MODULE_3__.t),unit:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().max(64).optional(),agg:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.t)([`sum`,`mean`,`min`,`max`]).optional(),count:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(1).optional()}),histogram:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.g)([(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:p,value:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(0).max(2**53-1)}),(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:p,values:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.r)((0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(0).max(2**53-1)).min(1)}),(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:p,encoded:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.i)().min(1)})]),annotation:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({path:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().min(1).max(4096).optional(),line:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(1).optional(),level:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.t)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().max(255).optional(),message:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().min(1).max(65536)}),output:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.p)(p,h),tasks:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.r)(h).max(1e4)}).partial();function _(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=g.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let i=r.path.join(`.`);return (0,_names_kkV_J5IJ_js__WEBPACK_IMPORTED_MODULE_2__.r)(`${i===``?``:`${i}: `}${r.message}`).slice(0,1e3)}

/***/ })

};
