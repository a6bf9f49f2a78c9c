export const id = 664;
export const ids = [664];
export const modules = {

/***/ 664:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   githubClient: () => (/* binding */ i),
/* harmony export */   pullAddress: () => (/* binding */ n)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(787);
/* harmony import */ var _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(999);
const t=/^[A-Za-z0-9_.-]{1,100}$/u;function n(n,i){let a=new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_1__.n(`--pr: expected a pull request's address, such as https://github.com/owner/name/pull/7`);if(!URL.canParse(n))throw a;let o=new URL(n),[,s=``,c=``,l,u=``]=o.pathname.split(`/`);if(o.protocol!==`https:`&&o.protocol!==`http:`||l!==`pull`||!/^[1-9]\d{0,8}$/u.test(u)||!t.test(s)||!t.test(c))throw a;return{owner:s,repo:c,number:Number(u),api:r(o,i)}}function r(t,n){let r=n.GITHUB_API_URL;if(r!==void 0&&r!==``){if(!URL.canParse(r))throw new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_1__.n(`GITHUB_API_URL: expected an address`);return r.replace(/(?<!\/)\/+$/u,``)}if(t.protocol===`https:`&&t.host===`github.com`)return`https://api.github.com`;throw new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_1__.n(`--pr: for ${t.host}, set GITHUB_API_URL (GitHub Enterprise Server: https://${t.host}/api/v3)`)}async function i(t,n){let r=[n.GITHUB_TOKEN,n.GH_TOKEN].find(e=>e!==void 0&&e!==``);if(r===void 0)throw new _exit_AqZeh0Hh_js__WEBPACK_IMPORTED_MODULE_1__.n(`GITHUB_TOKEN: expected a token that may read the repository`);let{Octokit:i}=await __webpack_require__.e(/* import() */ 918).then(__webpack_require__.bind(__webpack_require__, 918));return new i({auth:r,baseUrl:t,userAgent:`stagewright`})}

/***/ })

};
