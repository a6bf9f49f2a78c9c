export const id = 447;
export const ids = [447];
export const modules = {

/***/ 447:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ _)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(535);
const p=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.H)().min(1).max(200).regex(_index_js__WEBPACK_IMPORTED_MODULE_1__.q,_index_js__WEBPACK_IMPORTED_MODULE_1__.K),m=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)().min(0).max(2**53-1),h=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.F)(),g=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.V)({progress:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.V)({done:m,total:m.nullish(),errors:m.optional()}),metric:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.V)({name:p,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)().min(-_index_js__WEBPACK_IMPORTED_MODULE_1__.k).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.k),unit:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.H)().max(64).optional(),agg:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.A)([`sum`,`mean`,`min`,`max`]).optional(),count:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)().int().min(1).optional()}),histogram:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)([(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.V)({name:p,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)().int().min(0).max(2**53-1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.V)({name:p,values:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.j)((0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)().int().min(0).max(2**53-1)).min(1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.V)({name:p,encoded:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)().min(1)})]),annotation:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.V)({path:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.H)().min(1).max(4096).optional(),line:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)().int().min(1).optional(),level:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.A)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.H)().max(255).optional(),message:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.H)().min(1).max(65536)}),output:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)(p,h),tasks:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.j)(h).max(1e4)}).partial();function _(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=g.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let a=r.path.join(`.`);return (0,_index_js__WEBPACK_IMPORTED_MODULE_1__.J)(`${a===``?``:`${a}: `}${r.message}`).slice(0,1e3)}

/***/ })

};
