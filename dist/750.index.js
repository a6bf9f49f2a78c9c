export const id = 750;
export const ids = [750];
export const modules = {

/***/ 750:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ _)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(535);
const p=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.W)().min(1).max(200).regex(_index_js__WEBPACK_IMPORTED_MODULE_1__.Y,_index_js__WEBPACK_IMPORTED_MODULE_1__.J),m=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)().min(0).max(2**53-1),h=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.L)(),g=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)({progress:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)({done:m,total:m.nullish(),errors:m.optional()}),metric:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)({name:p,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)().min(-_index_js__WEBPACK_IMPORTED_MODULE_1__.j).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.j),unit:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.W)().max(64).optional(),agg:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)([`sum`,`mean`,`min`,`max`]).optional(),count:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)().int().min(1).optional()}),histogram:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.G)([(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)({name:p,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)().int().min(0).max(2**53-1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)({name:p,values:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.N)((0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)().int().min(0).max(2**53-1)).min(1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)({name:p,encoded:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.P)().min(1)})]),annotation:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)({path:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.W)().min(1).max(4096).optional(),line:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)().int().min(1).optional(),level:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.M)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.W)().max(255).optional(),message:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.W)().min(1).max(65536)}),output:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.H)(p,h),tasks:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.N)(h).max(1e4)}).partial();function _(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=g.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let i=r.path.join(`.`);return (0,_index_js__WEBPACK_IMPORTED_MODULE_1__.X)(`${i===``?``:`${i}: `}${r.message}`).slice(0,1e3)}

/***/ })

};
