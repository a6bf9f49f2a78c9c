export const id = 652;
export const ids = [652];
export const modules = {

/***/ 652:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ p)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_CB_ZnWmx_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(842);
/* harmony import */ var _schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(123);
const l=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().min(1).max(200),u=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().min(0).max(2**53-1),d=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.c)(),f=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({progress:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({done:u,total:u.nullish(),errors:u.optional()}),metric:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:l,value:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)(),unit:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().max(64).optional(),agg:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.t)([`sum`,`mean`,`min`,`max`]).optional(),count:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(1).optional()}),histogram:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.g)([(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:l,value:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(0).max(2**53-1)}),(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:l,values:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.r)((0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(0).max(2**53-1)).min(1)}),(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({name:l,encoded:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.i)().min(1)})]),annotation:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.m)({path:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().min(1).max(4096).optional(),line:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().int().min(1).optional(),level:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.t)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().max(255).optional(),message:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().min(1).max(65536)}),output:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.p)(l,d),tasks:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.r)(d).max(1e4)}).partial();function p(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=f.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let i=r.path.join(`.`);return`${i===``?``:`${i}: `}${r.message}`}

/***/ })

};
