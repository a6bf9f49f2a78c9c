export const id = 176;
export const ids = [176];
export const modules = {

/***/ 176:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   planJsonSchema: () => (/* binding */ o)
/* harmony export */ });
/* harmony import */ var _rolldown_runtime_9nwCUaSw_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(941);
/* harmony import */ var _schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(306);
/* harmony import */ var _schema_BUb_Rv7N_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(932);
/* harmony import */ var _duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(808);
const i=/* @__PURE__ */ new Set([`run`,`command`,`args`,`from`,`workload`,`params`]),a={type:`string`,pattern:`\\{\\{\\s*params\\.[A-Za-z_][A-Za-z0-9_]*\\s*\\}\\}`};function o(){let i=(0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.S)((0,_schemas_txa9eRCf_js__WEBPACK_IMPORTED_MODULE_1__.h)(_schema_BUb_Rv7N_js__WEBPACK_IMPORTED_MODULE_2__.n),{io:`input`,target:`draft-2020-12`}),{$defs:o={},$schema:c,...l}=JSON.parse(JSON.stringify(i));return{$schema:c??`https://json-schema.org/draft/2020-12/schema`,$id:`urn:stagewright:schema:plan`,title:`Stagewright plan`,description:`The stages that a group of agents goes through together.`,type:`object`,anyOf:[{$ref:`#/$defs/plan`},{$ref:`#/$defs/distributed`}],$defs:{...Object.fromEntries(Object.entries((0,_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_3__.i)(o)?o:{}).map(([e,t])=>[e,s(t)])),plan:s(l),distributed:{type:`object`,description:`The same keys, nested.`,properties:{name:{type:`string`},distributed:{$ref:`#/$defs/plan`}},required:[`distributed`],additionalProperties:!1},placeholder:{...a,description:`The value of a parameter.`}}}}function s(e){if(Array.isArray(e))return e.map(s);if(!(0,_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_3__.i)(e))return d(e);let t=(0,_duration_DyedJbJV_js__WEBPACK_IMPORTED_MODULE_3__.i)(e.properties)?e.properties:{},n={};for(let[r,a]of Object.entries(e))n[r]=r===`properties`?Object.fromEntries(Object.entries(t).map(([e,t])=>[e,i.has(e)?d(t):s(t)])):[`items`,`anyOf`,`oneOf`,`additionalProperties`].includes(r)&&typeof a==`object`?s(a):d(a);return c(e)?{...l(e),anyOf:[u(n),{$ref:`#/$defs/placeholder`}]}:n}function c(e){return[`integer`,`number`,`boolean`].includes(String(e.type))||e.type===`string`&&(`pattern`in e||`enum`in e)}function l(e){return typeof e.description==`string`?{description:e.description}:{}}function u(e){return Object.fromEntries(Object.entries(e).filter(([e])=>e!==`description`))}function d(e){return e===void 0?null:JSON.parse(JSON.stringify(e))}

/***/ })

};
