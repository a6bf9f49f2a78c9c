export const id = 592;
export const ids = [592];
export const modules = {

/***/ 592:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   histogramMerger: () => (/* binding */ t)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(137);
async function t(t=()=>{}){let n=await __webpack_require__.e(/* import() */ 566).then(__webpack_require__.bind(__webpack_require__, 566)).then(t=>/* @__PURE__ */ (0,_rolldown_runtime_Dlfrvzb7_js__WEBPACK_IMPORTED_MODULE_0__.o)(t.default,1));return e=>{let r=n.build({lowestDiscernibleValue:1,highestTrackableValue:2,numberOfSignificantValueDigits:3});r.autoResize=!0;for(let i of e)try{r.add(n.decodeFromCompressedBase64(i))}catch(e){t(`a histogram could not be read: ${e instanceof Error?e.message:String(e)}`)}return n.encodeIntoCompressedBase64(r)}}

/***/ })

};
