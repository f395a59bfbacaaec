-- SPDX-License-Identifier: Apache-2.0
-- What lint finds in a plugin: its table, its config rows, and what its verbs do. Rules as in source_rules.

local bytecode = require "connect.kit.bytecode"
local ctx_of = require "connect.host.ctx"
local host = require "connect.host.c"
local manifest = require "connect.host.manifest"
local near = require "connect.kit.near"

local rules = {}

-- Line of `name =` or `name` as a string, where the plugin says it.
local function line_of(file, name)
  for i, token in ipairs(file.tokens) do
    local next_token = file.tokens[i + 1]
    local assigned = token.kind == "name" and next_token and next_token.text == "="
    if token.text == name and (token.kind == "string" or assigned) then return token.line end
  end
  return 1
end

local function is_connector(file) return file.kind == "source" or file.kind == "sink" end

-- --------------------------------------------------------------------- members

local function other_kind(name)
  for _, kind in ipairs { "source", "sink", "transform", "predicate", "converter" } do
    if manifest.VERBS[kind][name] ~= nil then return kind end
  end
end

rules["member"] = function(file, report)
  local verbs, known = manifest.VERBS[file.kind], {}
  for _, set in ipairs { verbs, manifest.DATA } do
    for name in pairs(set) do known[name] = true end
  end
  for name in pairs(file.module) do
    if type(name) == "string" and not known[name] then
      local other, meant = other_kind(name), near(name, known)
      report(line_of(file, name), "member", "'%s' is no member of a %s and is never looked at%s", name, file.kind,
        other and (": it is a verb of a " .. other) or meant and ": did you mean " .. meant .. "?"
        or "; a function or value of its own is a local above the table")
    elseif type(name) ~= "string" then
      report(1, "member", "[%s] is no member of a %s", tostring(name), file.kind)
    end
  end
end

rules["about"] = function(file, report)
  for _, name in ipairs { "version", "doc" } do
    local text = rawget(file.module, name)
    if type(text) ~= "string" or not text:find "%S" then
      report(1, "about", "the plugin has no %s: users see it in REST and in connect-lua doc", name)
    end
  end
end

-- ----------------------------------------------------------------- config rows

rules["row"] = function(file, report)
  local ok, e = pcall(host.check_rows, file.manifest.config, file.path)
  if ok then return end
  local why = tostring(type(e) == "table" and e.message or e)
  why = why:sub(1, #file.path + 2) == file.path .. ": " and why:sub(#file.path + 3) or why
  report(line_of(file, why:match "^config row %d+ %((.-)%)" or ""), "row", "%s", why)
end

rules["row-doc"] = function(file, report)
  for _, row in ipairs(file.manifest.config) do
    if type(row.doc) ~= "string" or not row.doc:find "%S" then
      report(line_of(file, row.name), "row-doc", "the config row '%s' has no doc", row.name)
    end
  end
end

-- Names of what nobody may see; what only tells where a secret is, or about it, is none.
local SECRETS = { "password", "passwd", "secret", "token", "api[._-]?key", "private[._-]?key", "credentials?",
  "passphrase" }
local ABOUT = { "url$", "uri$", "file$", "path$", "location$", "type$", "alias$", "name$", "id$", "field$", "header$",
  "ms$", "endpoint$", "provider$", "enabled?$", "class$", "scope$", "size$", "max$", "min$" }

local function is_secret(name)
  for _, pattern in ipairs(ABOUT) do
    if name:find("[._-]" .. pattern) then return false end
  end
  for _, pattern in ipairs(SECRETS) do
    if ("." .. name .. "."):find("[._-]" .. pattern .. "[._-]") then return true end
  end
  return false
end

rules["row-secret"] = function(file, report)
  for _, row in ipairs(file.manifest.config) do
    if row.type == "string" and is_secret(row.name:lower()) then
      report(line_of(file, row.name), "row-secret",
        "'%s' looks like a secret: type = \"password\" keeps it out of logs and answers", row.name)
    end
  end
end

-- --------------------------------------------------------------------- running

-- Functions that verbs reach by their upvalues, with the verbs' own.
local function functions_of(file)
  local list, seen = {}, {}
  local function add(fn, verb)
    if type(fn) ~= "function" or seen[fn] or debug.getinfo(fn, "S").source ~= "@" .. file.path then return end
    seen[fn] = true
    list[#list + 1] = { fn = fn, verb = verb }
    for i = 1, 255 do
      local name, value = debug.getupvalue(fn, i)
      if not name then break end
      add(value, verb)
    end
  end
  for name in pairs(manifest.VERBS[file.kind]) do add(rawget(file.module, name), name) end
  table.sort(list, function(a, b)
    return debug.getinfo(a.fn, "S").linedefined < debug.getinfo(b.fn, "S").linedefined
  end)
  return list
end

local CONTROL = { tasks = true, validate = true, check = true, alter_offsets = true }

rules["shared-state"] = function(file, report)
  if not is_connector(file) then return end
  for _, f in ipairs(functions_of(file)) do
    bytecode.changes(f.fn, function(name, _, line)
      report(line, "shared-state", CONTROL[f.verb]
        and "%s is changed by %s, which runs in a state of its own: no task sees it, hand it over in the tasks' configs"
        or "%s outlives the task's run and is lost at a reload: keep what changes in ctx (%s)", name, f.verb)
    end)
  end
end

local function has(file, name)
  for _, token in ipairs(file.tokens) do
    if token.kind == "name" and token.text == name then return true end
  end
  return false
end

local function opens(file)
  for i, token in ipairs(file.tokens) do
    local library, maker = file.tokens[i], file.tokens[i + 2]
    if token.kind == "name" and library.text == "file" and file.tokens[i + 1].text == "." and maker
      and (maker.text == "reader" or maker.text == "writer") then
      return maker.line, maker.text
    end
  end
end

rules["not-closed"] = function(file, report)
  local line, what = opens(file)
  if line and is_connector(file) and not rawget(file.module, "stop") then
    report(line, "not-closed", "a %s is opened and nothing closes it: stop = function(ctx) ... :close() end", what)
  end
end

local function requires_own(file)
  for i, token in ipairs(file.tokens) do
    local at = file.tokens[i + 1]
    at = at and at.text == "(" and file.tokens[i + 2] or at
    if token.text == "require" and at and at.kind == "string" and not at.text:find "^connect" then return true end
  end
end

rules["no-pause"] = function(file, report)
  if file.kind ~= "source" or has(file, "sleep") or requires_own(file) then return end
  report(line_of(file, "poll"), "no-pause",
    "poll is called again at once and never sleeps: ctx:sleep(ms) when there is nothing, or a processor is kept busy")
end

rules["ctx-name"] = function(file, report)
  if not is_connector(file) then return end
  local known, other = ctx_of.names(file.kind), ctx_of.names(file.kind == "source" and "sink" or "source")
  local own, tokens = {}, file.tokens
  for i, token in ipairs(tokens) do -- ctx.name = ... makes it the plugin's
    if token.text == "ctx" and tokens[i + 3] and tokens[i + 1].text == "." and tokens[i + 3].text == "=" then
      own[tokens[i + 2].text] = true
    end
  end
  for i, token in ipairs(tokens) do
    local name = tokens[i + 2]
    if token.kind == "name" and token.text == "ctx" and tokens[i + 1].text == ":" and name and not known[name.text]
      and not own[name.text] then
      local meant = near(name.text, known)
      report(name.line, "ctx-name", other[name.text] and "ctx:%s is not for a %s" or "there is no ctx:%s of a %s%s",
        name.text, file.kind, meant and ": did you mean ctx:" .. meant .. "?" or "")
    end
  end
end

return rules
