-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua lint`: what is wrong with a plugin file, found without running its verbs.

local files = require "connect.kit.files"
local host = require "connect.host.c"
local inline = require "connect.kit.inline"
local json = require "connect.json"
local lexer = require "connect.kit.lexer"
local manifest = require "connect.host.manifest"
local options = require "connect.kit.options"
local plugin_rules = require "connect.kit.plugin_rules"
local sandbox = require "connect.host.sandbox"
local source_rules = require "connect.kit.source_rules"
local variables = require "connect.kit.variables"

local HELP = [[
connect-lua lint [--json] FILE | DIR ...
    looks for what is wrong with plugins: of a folder at each that a plugin.path would find there, and
    the other Lua files beside them. Their top level is run in the sandbox, their verbs are not.

What is found is a line each: FILE:LINE: RULE: text. A comment at the end of the line,
-- lint: allow RULE, lets it pass. luacheck (Debian: lua-check) finds unused and shadowed variables
besides, as rules luacheck-NNN; -- luacheck: ignore lets those pass.

load       the file cannot be run             global-set, global-read, sandbox, require
manifest   it is no plugin                               what is not there in the sandbox
member     it is misspelt, or of another kind connect-name, ctx-name   there is no such function
about      version or doc is missing          row, row-doc, row-secret    config rows
busy-wait, no-pause   a processor kept busy   kept-view   a record kept beyond its batch
not-closed            no stop for what start opened
shared-state          what changes lies outside of ctx

--json prints a list of { "file", "line", "rule", "message" }.

Exit codes: 0 nothing found, 1 wrong usage, 2 a file cannot be read, 5 something found.
]]

local env -- what a plugin finds

local function sorted(rules)
  local names = {}
  for name in pairs(rules) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function message_of(e) return tostring(type(e) == "table" and e.message or e) end

-- "file:12: why", or "file: why", as line and why.
local function place(file, text)
  if text:sub(1, #file.path + 1) ~= file.path .. ":" then return 1, text end
  text = text:sub(#file.path + 2)
  local line, why = text:match "^(%d+): (.*)$"
  return tonumber(line) or 1, why or text:gsub("^ ", "")
end

local function line_of_member(file, why)
  local name = why:match "'([%w_]+)'"
  for i, token in ipairs(file.tokens) do
    local behind = file.tokens[i + 1]
    if token.text == name and token.kind == "name" and behind and behind.text == "=" then return token.line end
  end
  return 1
end

-- Warnings of the manifest's are what the rule member says better.
local function quiet(fn, ...)
  local log = host.log
  host.log = function() end
  local ok, result = pcall(fn, ...)
  host.log = log
  return ok, result
end

-- Runs the top level. What the sandbox refuses there has its own rules, which come first.
local function load_plugin(file, report)
  local ok, result = quiet(sandbox.load, file.path, file.root)
  if not ok then
    local line, why = place(file, message_of(result))
    return report(line, "load", "%s", why)
  end
  if not inline.is_plugin(file.path) and not file.asked then return end -- a module beside plugins
  local good, made = quiet(manifest.check, result, file.path)
  if not good then
    local _, why = place(file, message_of(made))
    return report(line_of_member(file, why), "manifest", "%s", why)
  end
  file.module, file.manifest, file.kind = result, made, made.kind
end

local function allowed(file, line, rule)
  local text = file.lines[line] or ""
  local list = text:match "%-%-%s*lint:%s*allow%s+(.*)$"
  for name in (list or ""):gmatch "[%w-]+" do
    if name == rule then return true end
  end
  return false
end

local function check(path, asked, found)
  local text, why = files.read(path)
  if not text then return nil, why end
  local file = { path = path, root = files.split(path), text = text, tokens = lexer(text), env = env, asked = asked,
    lines = {} }
  for line in (text .. "\n"):gmatch "(.-)\n" do file.lines[#file.lines + 1] = line end
  local lines = {} -- with something found
  local function report(line, rule, message, ...)
    local refused = rule == "load" and lines[line] -- told already, by the rule that knows why
    if refused or allowed(file, line, rule) then return end
    lines[line] = true
    found[#found + 1] = { file = path, line = line, rule = rule, message = message:format(...) }
  end
  local e
  file.chunk, e = loadstring(text, "@" .. path)
  if not file.chunk then
    local line, syntax = place(file, e)
    report(line, "load", "%s", syntax)
    return true
  end
  for _, name in ipairs(sorted(source_rules)) do source_rules[name](file, report) end
  load_plugin(file, report)
  for _, name in ipairs(file.module and sorted(plugin_rules) or {}) do plugin_rules[name](file, report) end
  variables.check(file, report)
  return true
end

-- Path -> whether it was named itself.
local function paths(list)
  local out = {}
  for _, path in ipairs(list) do
    if files.is_folder(path) then
      path = #path > 1 and path:gsub("/+$", "") or path
      for _, pattern in ipairs { "*.lua", "*/*.lua" } do
        for _, inner in ipairs(files.list(path, pattern)) do
          if not files.is_spec(inner) then out[#out + 1] = { inner, false } end
        end
      end
    else
      out[#out + 1] = { path, true }
    end
  end
  return out
end

local function print_found(found, as_json)
  table.sort(found, function(a, b)
    if a.file ~= b.file then return a.file < b.file end
    if a.line ~= b.line then return a.line < b.line end
    return a.rule < b.rule
  end)
  if as_json then
    print(json.encode(#found > 0 and found or setmetatable({}, host.array_mt)))
    return
  end
  for _, f in ipairs(found) do print(("%s:%d: %s: %s"):format(f.file, f.line, f.rule, f.message)) end
end

return function(args, home)
  local given, rest = options.parse(args, { json = true })
  if not given then return options.USAGE end
  if given.help then
    io.stdout:write(HELP)
    return options.OK
  end
  if #rest == 0 then
    options.complain "usage: connect-lua lint [--json] FILE | DIR ...; lint --help says more"
    return options.USAGE
  end
  local folder = home .. "/lua/connect/kit"
  env = sandbox.load(folder .. "/plugin_env.lua", folder)
  if not variables.use(env) then
    options.complain("luacheck is not installed (apt-get install lua-check): unused and shadowed variables are not "
      .. "looked for")
  end
  local found, code = {}, options.OK
  for _, path in ipairs(paths(rest)) do
    local ok, why = check(path[1], path[2], found)
    if not ok then
      options.complain("%s", why)
      code = options.FAILED
    end
  end
  print_found(found, given.json)
  return code ~= options.OK and code or #found > 0 and options.FOUND or options.OK
end
