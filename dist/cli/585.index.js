export const id = 585;
export const ids = [585];
export const modules = {

/***/ 58:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ u),
/* harmony export */   t: () => (/* binding */ p)
/* harmony export */ });
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(306);
var s=class extends Error{name=`GraphqlRateLimited`;status=429;response;constructor(e,t){super(e),this.response={headers:t}}};const c=/rate limit/iu,l=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.p)({headers:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.m)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)(),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__._)([(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)(),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.f)()]).optional()).catch({}),data:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.m)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)(),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.v)()).nullish().catch(null),errors:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.r)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.p)({message:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)().catch(`no message`),type:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)().nullish(),path:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.r)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__._)([(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)(),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.f)()])).nullish()})).min(1)});async function u(e,t,i,a){try{let s=await e.graphql(t,{...i,request:{signal:a}});return{data:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.m)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)(),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.v)()).parse(s),errors:[]}}catch(e){let t=l.safeParse(e);if(!t.success)throw e;let{headers:n,data:r,errors:i}=t.data,a=i.find(e=>e.type===`RATE_LIMITED`||c.test(e.message));if(a!==void 0&&(r==null||Object.values(r).every(e=>e===null)))throw new s(a.message,n);return{data:r??null,errors:i.map(e=>({message:e.message,type:e.type??null,alias:typeof e.path?.[0]==`string`?e.path[0]:null,path:e.path??[]}))}}}var d=class extends Error{name=`GraphqlUnread`};function f({type:e}){return e!==`NOT_FOUND`&&e!==`FORBIDDEN`}async function p(e,t,n,r){let i=await u(e,t,n,r),a=i.errors.find(f);if(a!==void 0)throw new d(`GitHub could not read all that it was asked: ${a.message}`);return i}

/***/ }),

/***/ 424:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ c),
/* harmony export */   r: () => (/* binding */ s),
/* harmony export */   t: () => (/* binding */ o)
/* harmony export */ });
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(306);
const a=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__._)([(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.g)().regex(/^(?:0|[1-9]\d{0,19})$/u),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.c)().nonnegative(),(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.a)().nonnegative().lt(10n**BigInt(20))],{error:`expected an id: at most 20 digits, and as a number one that is held exactly`}),o=a.transform(String),s=a.transform((e,t)=>{let n=Number(e);return Number.isSafeInteger(n)?n:(t.addIssue({code:`custom`,message:`expected an id below 2^53, got ${e}: it cannot be kept as a number`}),_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_0__.w)});function c(e){return o.safeParse(e?.slice(e.lastIndexOf(`/`)+1)).data??null}

/***/ }),

/***/ 585:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   loadPolicy: () => (/* binding */ C),
/* harmony export */   policyFetcher: () => (/* binding */ w),
/* harmony export */   readPolicyText: () => (/* binding */ T)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(306);
/* harmony import */ var _read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(450);
/* harmony import */ var _source_5UUOHz_z_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(288);
/* harmony import */ var _graphql_Bw9OglK8_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(58);
/* harmony import */ var _id_xgX9SZfD_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(424);
function m(e,t){return`query PolicyFile($owner: String!, $name: String!, $path: String!${t===null?``:`, $commit: GitObjectID!`}) {
  repository(owner: $owner, name: $name) {
    databaseId isPrivate
    ${t===null?``:`proposed: object(oid: $commit) { ... on Commit { oid file(path: $path) { type object { ...FileFields } } } }`}
    defaultBranchRef {
      name
      target { ... on Commit { oid file(path: $path) { type object { ...FileFields } } } }
      ${e}
    }
  }
}
fragment FileFields on Blob { oid byteSize isBinary isTruncated text }`}const h=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({oid:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().min(1),byteSize:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)(),isBinary:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.o)().nullish(),isTruncated:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.o)(),text:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)().nullish()}),g=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.f)().nullish(),_=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({oid:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)(),file:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({type:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)(),object:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.v)()}).nullish()}),v=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({databaseId:_id_xgX9SZfD_js__WEBPACK_IMPORTED_MODULE_5__.r,isPrivate:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.o)(),proposed:_.nullish(),defaultBranchRef:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({name:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)(),target:_.nullish(),refUpdateRule:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({requiredApprovingReviewCount:g}).nullish(),rules:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({nodes:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.r)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({parameters:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({requiredApprovingReviewCount:g}).nullish()}).nullable()).nullish()}).nullish()}).nullish()}),y=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.p)({content:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.g)(),encoding:(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.u)(`base64`)});async function b(e,{owner:t,name:n},r,i,a,o=null){let s={owner:t,name:n,path:r,...o===null?{}:{commit:o}},c=!0,{data:l,errors:u}=await (0,_graphql_Bw9OglK8_js__WEBPACK_IMPORTED_MODULE_4__.n)(e,m(`refUpdateRule { requiredApprovingReviewCount }
      rules(first: 100) { nodes { parameters { ... on PullRequestParameters { requiredApprovingReviewCount } } } }`,o),s,a);u.some(x)&&(c=!1,{data:l,errors:u}=await (0,_graphql_Bw9OglK8_js__WEBPACK_IMPORTED_MODULE_4__.n)(e,m(``,o),s,a));let d=u.find(x);if(d!==void 0)throw Error(`GitHub did not say what ${r} of ${t}/${n} is: ${d.message}`);if(l?.repository==null)return null;let{databaseId:p,isPrivate:g,defaultBranchRef:_,proposed:y}=v.parse(l.repository),b=o===null?_?.target:y;if(o!==null&&b==null)throw Error(`GitHub does not know the commit ${o} of ${t}/${n}.`);let C=b?.oid??null,w=b?.file??null,T=[_?.refUpdateRule,...(_?.rules?.nodes??[]).map(e=>e?.parameters)],E={repository:{id:p,private:g},branch:_?.name??``,head:C,reviewsRequired:c?Math.max(0,...T.map(e=>e?.requiredApprovingReviewCount??0)):null};if(C===null||w===null||w.type!==`blob`)return{...E,file:null};let{oid:D,byteSize:O,isTruncated:k,text:A}=h.parse(w.object);if(O>i)return{...E,file:{oid:D,size:O,content:null}};let j=!k&&A!=null&&Buffer.byteLength(A)===O?A:await S(e,{owner:t,name:n},r,C,a);return{...E,file:{oid:D,size:O,content:j}}}function x({type:e}){return e!==`NOT_FOUND`}async function S(e,t,n,r,i){let{data:a}=await e.request(`GET /repos/{owner}/{repo}/contents/{path}`,{owner:t.owner,repo:t.name,path:n,ref:r,request:{signal:i}});return Buffer.from(y.parse(a).content,`base64`)}async function C(e,t,n=_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.n,r=`anybody`){let i=await t(e);if(i===null)throw Error(`${e.owner}/${e.name} is not there, or the token may not see it.`);let{file:a,...o}=i;if(a===null)return{policy:_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.i,problems:[],source:null,bases:[],untold:[],seen:o};let l={names:[O(e)],oids:[a.oid],untold:[]},{policy:d,problems:f}=await E(a,_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.t,l,{fetch:t,read:n,readers:r}),{names:p,oids:m,untold:h}=l;return{policy:d,problems:f,source:m.join(` `),bases:p.slice(1),untold:h,seen:o}}function w(e,t,n){return async r=>{let i=n!==void 0&&O(r)===O(n.place),a=AbortSignal.timeout(t),o=i?n.commit:null,s=await b(e,r,_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.t,_source_5UUOHz_z_js__WEBPACK_IMPORTED_MODULE_3__.t,a,o);return s===null||i||n===void 0||n.mayShow(O(r),s.repository)?s:null}}async function T(e,t,n){return await E({oid:``,size:e.byteLength,content:e},t,{names:[t],oids:[],untold:[]},{fetch:n,read:_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.n,readers:`who asks`})}async function E(e,t,n,r){if(e.content===null)return (0,_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.r)(t,`the file has ${e.size} bytes, expected at most ${_source_5UUOHz_z_js__WEBPACK_IMPORTED_MODULE_3__.t} (1 MiB)`);let i=await r.read(e.content,t,null);if(i.extends===null)return i;let a=await D(i.extends,n,r);if(`problem`in a){let e={severity:`error`,file:t,...i.extendsAt},n=[...i.problems,{...e,message:`extends: ${a.problem}`}];return{...i,policy:null,parts:null,problems:n}}return await r.read(e.content,t,a.parts)}async function D(e,t,n){let[r=``,i=``]=e.split(`/`,2),a=t.names.indexOf(e.toLowerCase());if(a>=0)return{problem:`a circle: ${[...t.names.slice(a),e].join(` \u2192 `)}`};if(t.names.length>5)return{problem:`${t.names.join(` \u2192 `)} is a row of more than 5 policies`};t.names.push(e.toLowerCase());let o=await n.fetch({owner:r,name:i}),s=o?.repository.private===!1||n.readers!==`anybody`,c=n=>s?{problem:`${e} ${n}`}:(t.untold.push(`${e} ${n}`),{problem:`${e} cannot be extended: it is not there, it may not be read here, or its policy cannot be used; who may read it finds the reason there`});if(o===null)return c(`is not there, or may not be read here: install the app on it, too`);if(o.file===null)return c(`has no ${_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.t}`);t.oids.push(o.file.oid);let l=await E(o.file,`${e}/${_read_policy_DT_hZiNE_js__WEBPACK_IMPORTED_MODULE_2__.t}`,t,n),[d,...f]=l.problems.filter(e=>e.severity===`error`);if(d!==void 0||l.parts===null){let e=d===void 0?``:`: ${d.file}:${d.line}:${d.column}: ${d.message}`;return c(`has ${f.length+1} ${f.length===0?`error`:`errors`}${e}`)}return{parts:l.parts}}function O({owner:e,name:t}){return`${e}/${t}`.toLowerCase()}

/***/ })

};
