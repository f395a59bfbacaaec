-- SPDX-License-Identifier: Apache-2.0
-- Connect schemas: made, derived and looked at. A schema is immutable; equal ones are the
-- same (a == b), so a table keyed by schema.uid (connect.memo) remembers what was worked out for one.
-- Those made in configure or start last as long as the task. One that came with a record, or was made while
-- records were worked on, is good for that batch; it is forgotten when there are too many.
--
--   schema.of "int64"                    a name, "?" behind it = optional
--   schema.make("string", { optional = true, name = "email", doc = "...", default = "x" })
--   schema.array("string"), schema.map("string", "int32?", attrs)
--   schema.struct { name = "user", fields = { { "id", "int64" }, { "email", "string?" } } }
--   schema.decimal(2), schema.date(), schema.time(), schema.timestamp { optional = true }
--   schema.derive(s, { optional = true, name = false })   what is not named stays; false = without
--   schema.derive(s, { type = "string" })                 another simple type, without the default; other fields
--                                                         are without it too
--
-- Attributes: optional, name, version, doc, parameters (names and texts), default.
-- A schema reads as s.type ("int64", "struct", ...), s.name, s.version, s.doc, s.optional,
-- s.default, s.parameters, s.uid, s.logical ("decimal", "date", "time", "timestamp"), s.key,
-- s.value (of maps; value also of arrays), #s and s.fields (a list of { name, schema }),
-- s:field(name) -> schema, position.

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local memo = require "connect.memo"
local typed = require "connect.host.typed"
local value = require "connect.host.value"

local BUILDER = "org.apache.kafka.connect.errors.SchemaBuilderException"
local PREFIX = "org.apache.kafka.connect.data."

local schema = {}

local cast, ffi_string, tonumber, type = ffi.cast, ffi.string, tonumber, type
local schema_ct = address.schema_ct

local type_names, type_numbers = {}, {}
for name, number in pairs(value.types) do
  type_names[number], type_numbers[name:lower()] = name:lower(), number
end
local logical_names = {}
for _, name in ipairs { "DECIMAL", "DATE", "TIME", "TIMESTAMP" } do
  logical_names[tonumber(C["CL_LOGICAL_" .. name])] = name:lower()
end

local view_of, pointer, schema_at = address.schema_view, address.schema_pointer, address.schema_at

local function str(s) if s.p ~= nil then return ffi_string(s.p, s.len) end end

-- -------------------------------------------------------------------- reading

local function parameters(p)
  if p.n_params == 0 then return nil end
  local out = {}
  for i = 0, tonumber(p.n_params) - 1 do out[str(p.params[i].name)] = str(p.params[i].value) end
  return out
end

local function fields(p)
  if p.type ~= value.types.STRUCT then return nil end
  local out = {}
  for i = 0, tonumber(p.n_fields) - 1 do out[i + 1] = { str(p.fields[i].name), view_of(p.fields[i].schema) } end
  return out
end

local attributes = {
  type = function(p) return type_names[p.type] end,
  logical = function(p) return logical_names[p.logical] end,
  name = function(p) return str(p.name) end,
  version = function(p) if p.has_version ~= 0 then return tonumber(p.version) end end,
  doc = function(p) return str(p.doc) end,
  optional = function(p) return p.optional ~= 0 end,
  default = function(p) return require("connect.host.view").copy_val(p.def) end,
  parameters = parameters,
  fields = fields,
  key = function(p) return view_of(p.key) end,
  value = function(p) return view_of(p.value) end,
}

local function field(self, name)
  local p = schema_at(self)
  if type(name) ~= "string" then error("a field's name is a string, not a " .. type(name), 2) end
  for i = 0, tonumber(p.n_fields) - 1 do
    local f = p.fields[i].name
    if f.len == #name and ffi_string(f.p, f.len) == name then return view_of(p.fields[i].schema), i + 1 end
  end
end

ffi.metatype("struct cl_view_schema", {
  __index = function(self, key)
    local p = schema_at(self)
    if key == "uid" then return tonumber(p.uid) end
    if key == "field" then return field end
    local read = attributes[key]
    return read and read(p)
  end,
  __newindex = function() error("a schema cannot be changed: see schema.derive", 2) end,
  __len = function(self) return tonumber(schema_at(self).n_fields) end,
  __eq = function(a, b)
    return ffi.istype(schema_ct, a) and ffi.istype(schema_ct, b) and cast("void *", a) == cast("void *", b)
  end,
  --- As Java prints it: Schema{INT32}, Schema{my.Name:STRUCT}.
  __tostring = function(self)
    local p = schema_at(self)
    local name = str(p.name)
    return ("Schema{%s%s}"):format(name and name .. ":" or "", type_names[p.type]:upper())
  end,
  __metatable = false,
})

-- --------------------------------------------------------------------- making

local known = { optional = true, name = true, version = true, doc = true, parameters = true, default = true,
  fields = true }

-- Draft structs point into Lua strings and arrays, which keep holds until the schema is interned.
local function set_text(out, text, keep)
  if text == nil or text == false then
    out.p, out.len = nil, 0
    return
  end
  if type(text) ~= "string" then error("a schema's name, doc and parameters are strings, not a " .. type(text), 0) end
  keep[#keep + 1] = text
  out.p, out.len = text, #text
end

local function set_parameters(draft, list, keep)
  local names = {}
  if type(list) ~= "table" then error("a schema's parameters are a table, not a " .. type(list), 0) end
  for name in next, list do
    if type(name) ~= "string" then error("a parameter's name is a string, not a " .. type(name), 0) end
    names[#names + 1] = name
  end
  table.sort(names)
  local params = ffi.new("struct cl_param[?]", math.max(1, #names))
  keep[#keep + 1] = params
  for i, name in ipairs(names) do
    set_text(params[i - 1].name, name, keep)
    set_text(params[i - 1].value, rawget(list, name), keep)
  end
  draft.params, draft.n_params = params, #names
end

local function intern(draft)
  local p = C.cl_ffi_schema(address.space, draft)
  if p == nil then errors.throw_last() end
  return (view_of(p))
end

local function set_default(draft, x)
  if x == false and draft.type ~= value.types.BOOLEAN or x == nil then
    draft.def.kind = address.kind.MISSING
    return
  end
  if address.current.batch == nil and type(x) ~= "number" and type(x) ~= "boolean" then
    error("a default that is no number or boolean is to be set while records are worked on", 0)
  end
  draft.def.kind = address.kind.MISSING
  -- A struct remembers its schema, and drafts do not last: a default's is the one without default.
  local s = draft.type == value.types.STRUCT and pointer(intern(draft)) or draft
  local ok, e = pcall(value.fit, address.current.batch, draft.def, x, s)
  if not ok then
    local _, why = errors.parts(e)
    errors.throw(BUILDER, "Invalid default value: %s", why)
  end
end

local function set_version(draft, version)
  if version and (type(version) ~= "number" or version % 1 ~= 0 or version < -0x80000000 or version > 0x7fffffff) then
    error("a schema's version is a whole number of 32 bits", 0)
  end
  draft.has_version, draft.version = version and 1 or 0, version or 0
end

-- Writes attrs over a draft. No metamethod is called: what a plugin's would do in between is anybody's guess.
local function set_attributes(draft, given, keep)
  if type(given) ~= "table" then error("a schema's attributes are a table, not a " .. type(given), 0) end
  local attrs = {}
  for name, x in next, given do
    attrs[name] = x
    if not known[name] then error("a schema has no attribute " .. tostring(name), 0) end
  end
  if attrs.optional ~= nil then draft.optional = attrs.optional and 1 or 0 end
  if attrs.name ~= nil then
    set_text(draft.name, attrs.name, keep)
    draft.logical = C.cl_ffi_logical(draft.name)
  end
  if attrs.doc ~= nil then set_text(draft.doc, attrs.doc, keep) end
  if attrs.version ~= nil then set_version(draft, attrs.version) end
  if attrs.parameters ~= nil then set_parameters(draft, attrs.parameters or {}, keep) end
  if attrs.default ~= nil then set_default(draft, attrs.default) end
end

local function draft_of(type_number)
  if address.space == nil then error("schemas are made while a task or transform is being set up or runs", 3) end
  local draft = ffi.new "struct cl_schema"
  draft.type = type_number
  return draft
end

local function made(draft, attrs, keep)
  keep = keep or {}
  if attrs then set_attributes(draft, attrs, keep) end
  local out = intern(draft) -- no tail call: keep stays on the stack until C has read what it holds
  return out
end

--- A schema without parts, by its type's name.
function schema.make(name, attrs)
  local number = type_numbers[name]
  if not number or number >= value.types.ARRAY then
    error(("%s is no simple type: int8, int16, int32, int64, float32, float64, boolean, string, bytes"):format(
      tostring(name)), 2)
  end
  return made(draft_of(number), attrs)
end

local function logical(name, base, params)
  return function(attrs)
    local draft, keep = draft_of(type_numbers[base]), {}
    set_attributes(draft, { name = PREFIX .. name, version = 1, parameters = params }, keep)
    return made(draft, attrs, keep)
  end
end
schema.date, schema.time, schema.timestamp = logical("Date", "int32"), logical("Time", "int32"),
  logical("Timestamp", "int64")

function schema.decimal(scale, attrs)
  if type(scale) ~= "number" or scale % 1 ~= 0 or scale < -0x80000000 or scale > 0x7fffffff then
    error("schema.decimal: a scale expected, a whole number of 32 bits", 2)
  end
  return logical("Decimal", "bytes", { scale = ("%d"):format(scale) })(attrs)
end

local by_name = memo.new()

local function named(name, mark)
  local attrs = { optional = mark == "?" }
  if name == "date" or name == "time" or name == "timestamp" then return schema[name](attrs) end
  return schema.make(name, attrs)
end

--- A schema, or the one a name stands for ("int64", "string?", "timestamp?").
function schema.of(x)
  if ffi.istype(schema_ct, x) then return x end
  if type(x) ~= "string" then error("a schema or its name expected, not a " .. type(x), 2) end
  if by_name[x] then return by_name[x] end
  local name, mark = x:match "^(%w+)(%??)$"
  local known_type = name and type_numbers[name] and type_numbers[name] < value.types.ARRAY
  if not known_type and name ~= "date" and name ~= "time" and name ~= "timestamp" then
    errors.fatal("unknown schema %s; known are int8, int16, int32, int64, float32, float64, boolean, string, bytes, "
      .. "date, time, timestamp, each with a ? when it is optional", x)
  end
  if address.space == nil then error("schemas are made while a task or transform is being set up or runs", 2) end
  by_name[x] = address.lasting(named, name, mark)
  return by_name[x]
end

function schema.array(element, attrs)
  local draft = draft_of(type_numbers.array)
  draft.value = pointer(schema.of(element))
  return made(draft, attrs)
end

function schema.map(key, item, attrs)
  local draft = draft_of(type_numbers.map)
  draft.key, draft.value = pointer(schema.of(key)), pointer(schema.of(item))
  return made(draft, attrs)
end

local function set_fields(draft, list, keep)
  if type(list) ~= "table" then error("a schema's fields are a list, not a " .. type(list), 0) end
  local n = value.length(list)
  local out, seen = ffi.new("struct cl_field[?]", math.max(1, n)), {}
  keep[#keep + 1] = out
  for i = 1, n do
    local f = rawget(list, i)
    if type(f) ~= "table" then error("a schema's field is { name, schema }, not a " .. type(f), 0) end
    local name = f[1]
    if type(name) ~= "string" or name == "" then errors.throw(BUILDER, "fieldName cannot be null.") end
    if seen[name] then errors.throw(BUILDER, "Cannot create field because of field name duplication %s", name) end
    seen[name] = true
    set_text(out[i - 1].name, name, keep)
    out[i - 1].schema = pointer(schema.of(f[2]))
  end
  draft.fields, draft.n_fields = out, n
end

--- A struct: attributes, and fields = { { name, schema }, ... }.
function schema.struct(attrs)
  if type(attrs) ~= "table" then error("schema.struct: a table expected, not a " .. type(attrs), 2) end
  local draft, keep = draft_of(type_numbers.struct), {}
  set_fields(draft, rawget(attrs, "fields") or {}, keep)
  return made(draft, attrs, keep)
end

-- The draft gets another simple type.
local function set_type(draft, name)
  local number = type_numbers[name]
  if not number or number >= value.types.ARRAY then error(tostring(name) .. " is no simple type", 3) end
  draft.type, draft.fields, draft.n_fields, draft.key, draft.value = number, nil, 0, nil, nil
  draft.def.kind = address.kind.MISSING
end

--- s with other attributes; of a struct also with other fields.
function schema.derive(s, attrs)
  if type(attrs) ~= "table" then error("schema.derive: attributes expected, not a " .. type(attrs), 2) end
  local from, keep = pointer(schema.of(s)), {}
  local draft = draft_of(from.type)
  ffi.copy(draft, from, ffi.sizeof "struct cl_schema")
  local rest = {}
  for name, x in next, attrs do
    if name == "type" then set_type(draft, x) else rest[name] = x end
  end
  if rawget(attrs, "fields") then
    if draft.type ~= type_numbers.struct then
      errors.throw(BUILDER, "Cannot create fields on type %s", type_names[draft.type]:upper())
    end
    set_fields(draft, rawget(attrs, "fields"), keep)
    draft.def.kind = address.kind.MISSING
  end
  return made(draft, rest, keep)
end

local function typed_schema(x)
  for name, kind in pairs(address.kind) do
    if kind == x.kind then return schema.of((kind == address.kind.INT and "int" .. x.aux or name:lower()) .. "?") end
  end
end

--- The optional schema a Lua value gets that has none, nil = none fits: by its type, whatever number it is, so
-- that it does not change from record to record. A number is a float64.
function schema.infer(x)
  local t = type(x)
  if t == "string" then return schema.of "string?" end
  if t == "boolean" then return schema.of "boolean?" end
  if t == "number" then return schema.of "float64?" end
  if t == "cdata" and ffi.istype(typed.number_ct, x) then return typed_schema(x) end
  if t == "cdata" and ffi.istype("int64_t", x) then return schema.of "int64?" end
  if typed.is_bytes(x) then return schema.of "bytes?" end
  if typed.is_decimal(x) then
    local _, scale = typed.decimal_parts(x)
    return schema.decimal(scale, { optional = true })
  end
  return nil
end

return schema
