export const id = 494;
export const ids = [494];
export const modules = {

/***/ 494:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ S)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(989);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(997);
const _=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.X)().min(1).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.rt.longName).regex(_index_js__WEBPACK_IMPORTED_MODULE_1__.tt,_index_js__WEBPACK_IMPORTED_MODULE_1__.et),v=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.K)().min(0).max(2**53-1),y=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)(),b=y.refine(e=>(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.ot)(e)<=_index_js__WEBPACK_IMPORTED_MODULE_1__.rt.taskBytes,`a task may have at most ${_index_js__WEBPACK_IMPORTED_MODULE_1__.rt.taskBytes} bytes as JSON`),x=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Y)({progress:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Y)({done:v,total:v.nullish(),errors:v.optional()}),metric:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Y)({name:_,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.K)().min(-_index_js__WEBPACK_IMPORTED_MODULE_1__.M).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.M),unit:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.X)().max(_index_js__WEBPACK_IMPORTED_MODULE_1__.it.unit).optional(),agg:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)(_index_js__WEBPACK_IMPORTED_MODULE_1__.C).optional(),count:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.K)().int().min(1).optional()}),histogram:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Z)([(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Y)({name:_,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.K)().int().min(0).max(2**53-1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Y)({name:_,values:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.z)((0,_index_js__WEBPACK_IMPORTED_MODULE_1__.K)().int().min(0).max(2**53-1)).min(1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Y)({name:_,encoded:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.B)().min(1)})]),annotation:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Y)({path:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.X)().min(1).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.rt.path).optional(),line:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.K)().int().min(1).optional(),level:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.R)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.X)().optional(),message:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.X)().min(1)}),output:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.J)(_,y),tasks:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.z)(b).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.it.tasks)}).partial();function S(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=x.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let i=r.path.join(`.`);return (0,_index_js__WEBPACK_IMPORTED_MODULE_1__.nt)(`${i===``?``:`${i}: `}${r.message}`).slice(0,1e3)}

/***/ })

};
