export const id = 795;
export const ids = [795];
export const modules = {

/***/ 795:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readEvent: () => (/* binding */ p)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(535);
const l=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.O)().min(1).max(200),u=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)().min(0).max(2**53-1),d=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.x)(),f=(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.D)({progress:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.D)({done:u,total:u.nullish(),errors:u.optional()}),metric:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.D)({name:l,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)(),unit:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.O)().max(64).optional(),agg:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.g)([`sum`,`mean`,`min`,`max`]).optional(),count:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)().int().min(1).optional()}),histogram:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.k)([(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.D)({name:l,value:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)().int().min(0).max(2**53-1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.D)({name:l,values:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__._)((0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)().int().min(0).max(2**53-1)).min(1)}),(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.D)({name:l,encoded:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.v)().min(1)})]),annotation:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.D)({path:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.O)().min(1).max(4096).optional(),line:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.w)().int().min(1).optional(),level:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.g)([`notice`,`warning`,`failure`,`error`]).optional(),title:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.O)().max(255).optional(),message:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.O)().min(1).max(65536)}),output:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__.E)(l,d),tasks:(0,_index_js__WEBPACK_IMPORTED_MODULE_1__._)(d).max(1e4)}).partial();function p(e){let t;try{t=JSON.parse(e)}catch{return`is not JSON`}let n=f.safeParse(t);if(n.success)return Object.keys(n.data).length>0?n.data:`says nothing (an empty object)`;let r=n.error.issues[0];if(r===void 0)return`is not an event`;let i=r.path.join(`.`);return`${i===``?``:`${i}: `}${r.message}`}

/***/ })

};
