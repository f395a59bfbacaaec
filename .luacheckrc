-- luacheck over everything Lua in the tree: luacheck lua connectors spec
std = "luajit"
max_line_length = 120
self = false
codes = true
exclude_files = { "build/", "spec/fixtures/" } -- fixtures are wrong on purpose

files["spec"] = { std = "+busted", max_line_length = 140 } -- long one-line snippets of Lua and JSON

-- What the sandbox gives a plugin, and no more: lua/connect/host/sandbox.lua.
local plugin_std = {
  read_globals = {
    "_G", "_VERSION", "assert", "error", "getmetatable", "ipairs", "load", "loadstring", "next", "pairs",
    "pcall", "print", "rawequal", "rawget", "rawset", "require", "select", "setmetatable", "tonumber",
    "tostring", "type", "unpack", "xpcall",
    bit = { fields = { "arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift",
      "tobit", "tohex" } },
    collectgarbage = {},
    coroutine = { fields = { "create", "isyieldable", "resume", "running", "status", "wrap", "yield" } },
    math = { other_fields = true },
    os = { fields = { "clock", "date", "difftime", "time" } },
    string = { fields = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep",
      "reverse", "sub", "upper" } },
    table = { fields = { "concat", "insert", "maxn", "move", "remove", "sort" } },
  },
}
stds.plugin = plugin_std
files["connectors"].std = "plugin"
for _, kind in ipairs { "converters", "transforms", "predicates" } do files["lua/connect/" .. kind].std = "plugin" end
files["lua/connect/kit/templates"].std = "plugin"
-- Specs lie beside the plugins they test.
files["lua/connect/kit/*_spec.lua"] = { std = "luajit+busted" }
files["lua/connect/kit/templates/*_spec.lua"] = { std = "luajit+busted" }
files["connectors/**/*_spec.lua"] = { std = "luajit+busted" }
