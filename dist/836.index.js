export const id = 836;
export const ids = [836];
export const modules = {

/***/ 836:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   MemberCoordinator: () => (/* binding */ r)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
/* harmony import */ var _node_zhJ0597b_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(947);
/* harmony import */ var _index_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(535);
var n=(0,_node_zhJ0597b_js__WEBPACK_IMPORTED_MODULE_1__.o)(),r=class{#e;#t;#n=null;constructor(e,t){this.#e=e,this.#t=t}async join(e){let r=(0,n.randomBytes)(16).toString(`base64url`),i=await this.#e.joinFirst(e,r,this.#t);return this.#n=new _index_js__WEBPACK_IMPORTED_MODULE_2__.c(this.#e.host,i.session,e.agent),i}sync(e,t,n){return this.#r.sync(e,t,n)}reset(e){return this.#r.reset(e)}leave(e){return this.#r.leave(e)}get#r(){if(this.#n===null)throw Error(`an agent joins before it does anything else`);return this.#n}};

/***/ })

};
