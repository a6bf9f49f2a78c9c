export const id = 469;
export const ids = [469];
export const modules = {

/***/ 469:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ _)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(535);
const p=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.I)().min(1).max(200).regex(_index_js__WEBPACK_IMPORTED_MODULE_1__.V,_index_js__WEBPACK_IMPORTED_MODULE_1__.B),m=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)().min(0).max(2**53-1),h=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.k)(),g=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)({progress:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)({done:m,total:m.nullish(),errors:m.optional()}),metric:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)({name:p,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)().min(-_index_js__WEBPACK_IMPORTED_MODULE_1__.C).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.C),unit:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.I)().max(64).optional(),agg:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)([`sum`,`mean`,`min`,`max`]).optional(),count:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)().int().min(1).optional()}),histogram:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.L)([(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)({name:p,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)().int().min(0).max(2**53-1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)({name:p,values:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.T)((0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)().int().min(0).max(2**53-1)).min(1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)({name:p,encoded:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.E)().min(1)})]),annotation:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)({path:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.I)().min(1).max(4096).optional(),line:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)().int().min(1).optional(),level:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.I)().max(255).optional(),message:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.I)().min(1).max(65536)}),output:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.P)(p,h),tasks:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.T)(h).max(1e4)}).partial();function _(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=g.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let a=r.path.join(`.`);return (0,_index_js__WEBPACK_IMPORTED_MODULE_1__.H)(`${a===``?``:`${a}: `}${r.message}`).slice(0,1e3)}

/***/ })

};
