export const id = 454;
export const ids = [454];
export const modules = {

/***/ 454:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ S)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(535);
const _=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.tt)().min(1).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.ct.longName).regex(_index_js__WEBPACK_IMPORTED_MODULE_1__.ot,_index_js__WEBPACK_IMPORTED_MODULE_1__.at),v=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Z)().min(0).max(2**53-1),y=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.J)(),b=y.refine(e=>(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.dt)(e)<=_index_js__WEBPACK_IMPORTED_MODULE_1__.ct.taskBytes,`a task may have at most ${_index_js__WEBPACK_IMPORTED_MODULE_1__.ct.taskBytes} bytes as JSON`),x=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.et)({progress:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.et)({done:v,total:v.nullish(),errors:v.optional()}),metric:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.et)({name:_,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Z)().min(-_index_js__WEBPACK_IMPORTED_MODULE_1__.L).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.L),unit:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.tt)().max(_index_js__WEBPACK_IMPORTED_MODULE_1__.lt.unit).optional(),agg:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)(_index_js__WEBPACK_IMPORTED_MODULE_1__.D).optional(),count:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Z)().int().min(1).optional()}),histogram:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.nt)([(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.et)({name:_,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Z)().int().min(0).max(2**53-1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.et)({name:_,values:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.W)((0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Z)().int().min(0).max(2**53-1)).min(1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.et)({name:_,encoded:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.G)().min(1)})]),annotation:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.et)({path:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.tt)().min(1).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.ct.path).optional(),line:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.Z)().int().min(1).optional(),level:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.U)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.tt)().optional(),message:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.tt)().min(1)}),output:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.$)(_,y),tasks:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.W)(b).max(_index_js__WEBPACK_IMPORTED_MODULE_1__.lt.tasks)}).partial();function S(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=x.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let i=r.path.join(`.`);return (0,_index_js__WEBPACK_IMPORTED_MODULE_1__.st)(`${i===``?``:`${i}: `}${r.message}`).slice(0,1e3)}

/***/ })

};
