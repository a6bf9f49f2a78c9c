export const id = 564;
export const ids = [564];
export const modules = {

/***/ 564:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   requestFailure: () => (/* reexport safe */ _request_failure_C1gkvG8O_js__WEBPACK_IMPORTED_MODULE_0__.t)
/* harmony export */ });
/* harmony import */ var _request_failure_C1gkvG8O_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(30);


/***/ }),

/***/ 30:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   t: () => (/* binding */ c)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(787);
/* harmony import */ var _schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(157);
const o=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.g)([(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)(),(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)()]).transform(String),s=(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.f)({status:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.d)().optional().catch(void 0),message:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.h)().catch(`no message`),response:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.f)({headers:(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.f)({"retry-after":o.optional().catch(void 0),"x-ratelimit-remaining":o.optional().catch(void 0),"x-ratelimit-reset":o.optional().catch(void 0)}).catch({})}).optional().catch(void 0)});function c(n,r){if(n instanceof _schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.b)return{kind:`temporary`,status:null,message:`GitHub's answer is not what was expected: ${(0,_schemas_BDl8jm8j_js__WEBPACK_IMPORTED_MODULE_1__.S)(n)}`,retryAfterMs:null};let i=s.safeParse(n);if(!i.success)return{kind:`temporary`,status:null,message:String(n),retryAfterMs:null};let{message:a,response:o}=i.data,c=o===void 0&&i.data.status===500?null:i.data.status??null,f=o?.headers??{},p=f[`x-ratelimit-remaining`]===`0`,m=u(l(f[`retry-after`])??(p?d(f[`x-ratelimit-reset`],r):null)),h=e=>({kind:e,status:c,message:a,retryAfterMs:m});return c===null||c>=500||c===408?h(`temporary`):c===429||c===403&&(m!==null||p||/rate limit/iu.test(a))?h(`rate_limit`):h(c===401||c===403||c===404?`permission`:`rejected`)}function l(e){let t=Number(e??NaN);return Number.isFinite(t)&&t>=0?t*1e3:null}function u(e){return e===null?null:Math.min(e,36e5)}function d(e,t){let n=l(e);return n===null?null:Math.max(0,n-t)}

/***/ })

};
