-- SPDX-License-Identifier: Apache-2.0
-- Values that say their type themselves: connect.int32(5), connect.timestamp(ms), connect.decimal("12.50"),
-- connect.bytes(s). Numbers are C values, decimals and bytes tables with a metatable of ours.

local ffi = require "ffi"

local address = require "connect.host.address"
local host = require "connect.host.c"

local K = address.kind
local K_INT, K_FLOAT32, K_FLOAT64 = K.INT, K.FLOAT32, K.FLOAT64
local int64_ct, float_ct = ffi.typeof "int64_t", ffi.typeof "float"
local floor, tonumber, tostring, type, rawget = math.floor, tonumber, tostring, type, rawget

local typed = {}

-- ------------------------------------------------------------------------ numbers

-- What connect.int32(5) and the like answer: written at once, so the compiler makes no object.
-- (A union in it, or setting a field afterwards, would not compile.) Constant, since a plugin that sets
-- kind would have i taken for an address.
ffi.cdef [[ struct cl_typed { const int32_t kind, aux; const int64_t i; const double f; }; ]]
local number_ct = ffi.typeof "struct cl_typed"
typed.number_ct = number_ct

local function integer_of(width)
  local low, high = -2 ^ (width - 1), 2 ^ (width - 1)
  return function(x)
    if type(x) == "number" and floor(x) == x and x >= low and x < high
      or ffi.istype(int64_ct, x) and (width == 64 or x >= low and x < high) then
      return (number_ct(K_INT, width, x, 0))
    end
    error(("int%d: %s is no whole number of %d bits"):format(width, tostring(x), width), 2)
  end
end

local function moment_of(kind, name)
  return function(ms)
    if type(ms) ~= "number" or floor(ms) ~= ms then error(name .. ": whole milliseconds expected", 2) end
    return (number_ct(kind, 0, ms, 0))
  end
end

local function float_of(kind, name)
  return function(x)
    if type(x) ~= "number" then error(name .. ": a number expected, not a " .. type(x), 2) end
    return (number_ct(kind, 0, 0, kind == K_FLOAT32 and tonumber(ffi.cast(float_ct, x)) or x))
  end
end

typed.int8, typed.int16, typed.int32, typed.int64 = integer_of(8), integer_of(16), integer_of(32), integer_of(64)
typed.float32, typed.float64 = float_of(K_FLOAT32, "float32"), float_of(K_FLOAT64, "float64")
typed.date, typed.time = moment_of(K.DATE, "date"), moment_of(K.TIME, "time_of_day")
typed.timestamp = moment_of(K.TIMESTAMP, "timestamp")

-- -------------------------------------------------------------- decimals and bytes

local metatable_of = debug.getmetatable
local decimal_mt, bytes_mt = host.decimal_mt, host.bytes_mt -- the C side knows them by their place
decimal_mt.__metatable, bytes_mt.__metatable = false, false

function typed.is_decimal(x) return type(x) == "table" and metatable_of(x) == decimal_mt end
function typed.is_bytes(x) return type(x) == "table" and metatable_of(x) == bytes_mt end

local function is_scale(x) return type(x) == "number" and x % 1 == 0 and x >= -0x80000000 and x <= 0x7fffffff end

--- Digits and scale. A plugin may write to the table, or to a copy of it.
function typed.decimal_parts(x)
  local digits, scale = rawget(x, "digits"), rawget(x, "scale")
  if type(digits) ~= "string" or not digits:find "^%-?%d+$" or not is_scale(scale) then
    error("this is no decimal any more: its digits or scale were changed", 0)
  end
  return digits, scale
end

function typed.bytes_text(x)
  local text = rawget(x, "bytes")
  if type(text) ~= "string" then error("this is no connect.bytes any more: its bytes were changed", 0) end
  return text
end

--- What a view reads: digits ("-123") times 10^-scale.
function typed.new_decimal(digits, scale) return setmetatable({ digits = digits, scale = scale }, decimal_mt) end

-- As Java's BigDecimal reads it.
local function of_text(text)
  local sign, whole, fraction, power = text:match "^([+-]?)(%d*)%.?(%d*)[eE]?([+-]?%d*)$"
  local bare = text:gsub("^[+-]", "")
  if not sign or whole .. fraction == "" or not (bare:find "^%d*%.?%d*$" or bare:find "^%d*%.?%d*[eE][+-]?%d+$") then
    return nil
  end
  local digits = (whole .. fraction):gsub("^0+(%d)", "%1")
  local scale = #fraction - (tonumber(power) or 0)
  if not is_scale(scale) then return nil end
  return typed.new_decimal((sign == "-" and digits ~= "0" and "-" or "") .. digits, scale)
end

local function digits_of(x)
  if ffi.istype(int64_ct, x) then return (tostring(x):gsub("LL$", "")) end
  if type(x) == "number" and floor(x) == x and x > -0x1p63 and x < 0x1p63 then return ("%.0f"):format(x + 0) end
  local sign, digits = tostring(x):match "^([+-]?)0*(%d+)$"
  if type(x) == "string" and digits then return (sign == "-" and digits ~= "0" and "-" or "") .. digits end
end

--- decimal("12.50") has the scale of its text; decimal(unscaled, scale) = unscaled * 10^-scale, unscaled being
-- text, a whole number or an int64.
function typed.decimal(x, scale)
  if scale == nil then
    local d = type(x) == "string" and of_text(x)
    if d then return d end
    error(("decimal: %s is no text of a decimal (a number needs its scale: decimal(1250, 2))"):format(
      type(x) == "string" and ("%q"):format(x) or "a " .. type(x)), 2)
  end
  local digits = digits_of(x)
  if not digits then error(("decimal: the unscaled %s is no whole number"):format(tostring(x)), 2) end
  if not is_scale(scale) then error("decimal: a scale is a whole number of 32 bits", 2) end
  return typed.new_decimal(digits == "-0" and "0" or digits, scale)
end

--- A string's bytes as bytes, where there is no schema that says so.
function typed.bytes(s)
  if type(s) ~= "string" then error("bytes: a string expected, not a " .. type(s), 2) end
  return setmetatable({ bytes = s }, bytes_mt)
end

function bytes_mt:__tostring()
  if rawequal(self, bytes_mt) then return "bytes" end
  return typed.bytes_text(self)
end

function bytes_mt.__eq(a, b) return typed.bytes_text(a) == typed.bytes_text(b) end

--- Equal as Java's are: 1.0 is not 1.00.
function decimal_mt.__eq(a, b)
  local digits, scale = typed.decimal_parts(a)
  local others, other = typed.decimal_parts(b)
  return digits == others and scale == other
end

function decimal_mt:__tostring()
  if rawequal(self, decimal_mt) then return "decimal" end
  local digits, scale = typed.decimal_parts(self)
  local sign = ""
  if digits:sub(1, 1) == "-" then digits, sign = digits:sub(2), "-" end
  if scale <= 0 then return sign .. digits .. ("0"):rep(digits == "0" and 0 or -scale) end
  digits = ("0"):rep(scale - #digits + 1) .. digits
  return sign .. digits:sub(1, -scale - 1) .. "." .. digits:sub(-scale)
end

return typed
