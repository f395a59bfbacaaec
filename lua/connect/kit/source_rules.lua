-- SPDX-License-Identifier: Apache-2.0
-- What lint finds in the text of a file, whether or not it is a plugin. Each rule is function(file, report); file:
-- path, root, text, tokens, chunk (compiled, nil when it does not), env (what a plugin finds), module (what the file
-- returned, nil when it did not), kind, manifest. report(line, rule, text, ...).

local bytecode = require "connect.kit.bytecode"
local files = require "connect.kit.files"
local near = require "connect.kit.near"

local rules = {}

local function is(token, kind, text) return token and token.kind == kind and (text == nil or token.text == text) end

-- Whether the tokens from i on have these texts; "*" is any.
local function follows(tokens, i, ...)
  for n = 1, select("#", ...) do
    local token, want = tokens[i + n - 1], (select(n, ...))
    if not token or want ~= "*" and (token.text ~= want or token.kind == "string") then return false end
  end
  return true
end

local OPENS = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local CLOSES = { ["end"] = true, ["until"] = true }

-- The index of the token that ends the block which the word at i opens.
local function block_end(tokens, i)
  local depth = 0
  for j = i, #tokens do
    if tokens[j].kind == "word" then
      if OPENS[tokens[j].text] then depth = depth + 1 end
      if CLOSES[tokens[j].text] then depth = depth - 1 end
      if depth == 0 then return j end
    end
  end
  return #tokens
end

local function has_name(tokens, from, to, name)
  for i = from, to do
    if is(tokens[i], "name", name) then return true end
  end
  return false
end

-- ------------------------------------------------------------------ the sandbox

-- What stands for the forbidden.
local INSTEAD = {
  ["os.execute"] = "a plugin starts no programs", ["io.popen"] = "a plugin starts no programs",
  ["io"] = "connect.file reads and writes files",
  ["require"] = "a plugin requires connect, connect.* and files beside it",
  ["os.getenv"] = "a config row, filled by a config provider, brings it", ["os.exit"] = "connect.fatal ends the task",
  ["dofile"] = "require loads files beside the plugin", ["loadfile"] = "require loads files beside the plugin",
  ["setfenv"] = "load has an environment as its last argument",
}

local function instead(name) return INSTEAD[name] and "; " .. INSTEAD[name] or "" end

rules["global-set"] = function(file, report)
  bytecode.globals(file.chunk, function(name, line, set)
    if set then report(line, "global-set", "%s is a global: write local %s, or keep it in ctx", name, name) end
  end)
end

rules["global-read"] = function(file, report)
  local set = {}
  bytecode.globals(file.chunk, function(name, _, is_set) set[name] = set[name] or is_set end)
  bytecode.globals(file.chunk, function(name, line, is_set)
    if is_set or set[name] or file.env[name] ~= nil then return end
    local meant = near(name, file.env)
    report(line, "global-read", "there is no %s in a plugin%s", name,
      meant and ": did you mean " .. meant .. "?" or instead(name))
  end)
end

-- os.execute and others that a library of ours has not.
rules["sandbox"] = function(file, report)
  local tokens, own = file.tokens, {}
  for i, token in ipairs(tokens) do
    if is(token, "word", "local") and is(tokens[i + 1], "name") then own[tokens[i + 1].text] = true end
    local library = token.kind == "name" and not own[token.text] and file.env[token.text]
    local inner = tokens[i - 1] and (tokens[i - 1].text == "." or tokens[i - 1].text == ":")
    local member = tokens[i + 2]
    if type(library) == "table" and token.text ~= "_G" and not inner and is(tokens[i + 1], "op", ".")
      and is(member, "name") and library[member.text] == nil then
      local name = token.text .. "." .. member.text
      local meant = near(member.text, library)
      report(member.line, "sandbox", "there is no %s in a plugin%s", name,
        INSTEAD[name] and instead(name) or meant and (": did you mean %s.%s?"):format(token.text, meant) or "")
    end
  end
end

local function is_beside(root, name)
  local base = root .. "/" .. name:gsub("%.", "/")
  return files.exists(base .. ".lua") or files.exists(base .. "/init.lua")
end

rules["require"] = function(file, report)
  for i, token in ipairs(file.tokens) do
    local at = is(file.tokens[i + 1], "op", "(") and i + 2 or i + 1
    local name = file.tokens[at]
    if is(token, "name", "require") and is(name, "string") and name.text:find "^[%w_.]+$" then
      if name.text == "connect" or name.text:find "^connect%." then
        local ok, why = pcall(file.env.require, name.text)
        if not ok then report(name.line, "require", "%s", (tostring(why):gsub("^.-:%d+: ", ""))) end
      elseif not is_beside(file.root, name.text) then
        report(name.line, "require", "module '%s' is refused: %s, and there is no %s", name.text, INSTEAD.require,
          file.root .. "/" .. name.text:gsub("%.", "/") .. ".lua")
      end
    end
  end
end

-- The API module that `local x = require "connect..."` at i gives x, nil when it is none or a part of it.
local function required(file, i)
  local tokens = file.tokens
  if not follows(tokens, i, "local", "*", "=", "require") then return nil end
  local name = tokens[i + 4]
  local behind = tokens[i + 5]
  if is(name, "op", "(") then name, behind = tokens[i + 5], tokens[i + 7] end
  if not is(name, "string") or not name.text:find "^connect%f[.%z]" or is(behind, "op", ".") then return nil end
  local ok, module = pcall(file.env.require, name.text)
  return ok and module or nil
end

-- connect.nothing and connect.file.nothing, where connect is what require gave.
rules["connect-name"] = function(file, report)
  local tokens, modules = file.tokens, {}
  for i, token in ipairs(tokens) do
    if is(token, "word", "local") and is(tokens[i + 1], "name") then modules[tokens[i + 1].text] = required(file, i) end
    local inner = tokens[i - 1] and (tokens[i - 1].text == "." or tokens[i - 1].text == ":")
    local module, path, at = token.kind == "name" and not inner and modules[token.text], token.text, i + 1
    while type(module) == "table" and is(tokens[at], "op", ".") and is(tokens[at + 1], "name") do
      local name = tokens[at + 1].text
      if module[name] == nil then
        local meant = near(name, module)
        report(tokens[at + 1].line, "connect-name", "there is no %s.%s%s", path, name,
          meant and (": did you mean %s.%s?"):format(path, meant) or "")
      end
      module, path, at = module[name], path .. "." .. name, at + 2
    end
  end
end

-- -------------------------------------------------------------------- running

local CLOCKS = { { "os", ".", "time" }, { "os", ".", "clock" }, { "time", ".", "now" }, { "time", ".", "monotonic" } }

local function asks_clock(tokens, from, to)
  for i = from, to do
    for _, clock in ipairs(CLOCKS) do
      if follows(tokens, i, unpack(clock)) then return true end
    end
  end
  return false
end

-- Loops that wait for a clock.
rules["busy-wait"] = function(file, report)
  local tokens = file.tokens
  local function check(line, from, to, body_from, body_to)
    if asks_clock(tokens, from, to) and not has_name(tokens, body_from, body_to, "sleep") then
      report(line, "busy-wait", "this loop waits by looking at the clock and keeps a processor busy: use ctx:sleep(ms)")
    end
  end
  for i, token in ipairs(tokens) do
    if is(token, "word", "while") then
      local at = i + 1
      while tokens[at] and not is(tokens[at], "word", "do") do at = at + 1 end
      check(token.line, i, at, at, block_end(tokens, at))
    elseif is(token, "word", "repeat") then
      local stop = block_end(tokens, i)
      local last = stop
      while tokens[last + 1] and tokens[last + 1].line == tokens[stop].line do last = last + 1 end
      check(token.line, stop, last, i, stop)
    end
  end
end

-- ------------------------------------------------------------------- kept views

-- Names of the parameters of the function at i, and where its body begins.
local function parameters(tokens, i)
  local names, at = {}, i + 1
  while tokens[at] and tokens[at].text ~= "(" do at = at + 1 end
  at = at + 1
  while tokens[at] and tokens[at].text ~= ")" do
    if is(tokens[at], "name") then names[#names + 1] = tokens[at].text end
    at = at + 1
  end
  return names, at + 1
end

-- The first token of the assignment's target whose = is at i.
local function target(tokens, i)
  local at, depth = i - 1, 0
  while tokens[at] do
    local token = tokens[at]
    if token.text == "]" then depth = depth + 1 elseif token.text == "[" then depth = depth - 1 end
    local before = tokens[at - 1]
    if depth == 0 and token.kind == "name" and not (before and (before.text == "." or before.text == ":")) then
      return token
    end
    if depth == 0 and token.kind == "word" then return nil end
    at = at - 1
  end
end

local GOES_ON = { ["."] = true, [":"] = true, ["["] = true, ["("] = true, ["=="] = true, ["~="] = true, [".."] = true,
  ["and"] = true, ["or"] = true }

-- views: names of what ends with the call; keeper: the parameter that stays.
local function check_kept(tokens, from, to, views, keeper, report)
  for i = from, to do
    local value, behind = tokens[i + 1], tokens[i + 2]
    local ends = value and value.kind == "name" and views[value.text] and not (behind and GOES_ON[behind.text])
    local into = is(tokens[i], "op", "=") and target(tokens, i)
    if ends and into and into.text == keeper and tokens[i - 1] ~= into
      or is(tokens[i], "name", "insert") and follows(tokens, i, "insert", "(", keeper, ".", "*", ",")
      and is(tokens[i + 6], "name") and views[tokens[i + 6].text] and follows(tokens, i + 7, ")") then
      report(tokens[i].line, "kept-view", "a record ends with its batch, and %s does not: keep "
        .. "connect.copy(record.value), or hold the batch with batch:retain()", keeper)
    end
  end
end

-- verb -> number of the parameter that holds records, and of the one that stays
local KEEPERS = { put = { 2, 1 }, apply = { 1, 2 }, test = { 1, 2 } }

rules["kept-view"] = function(file, report)
  local tokens = file.tokens
  if has_name(tokens, 1, #tokens, "retain") then return end
  for i, token in ipairs(tokens) do
    local verb = is(token, "word", "function") and (is(tokens[i - 1], "op", "=") and tokens[i - 2] or tokens[i + 1])
    local places = verb and verb.kind == "name" and KEEPERS[verb.text]
    if places then
      local names, body = parameters(tokens, i)
      local given, keeper, stop = names[places[1]], names[places[2]], block_end(tokens, i)
      local views = { [given or ""] = true }
      for j = body, stop do
        if follows(tokens, j, "for", "*", ",", "*", "in", "*", ":", "records") then views[tokens[j + 3].text] = true end
        if follows(tokens, j, "local", "*", "=", given or "", "[") then views[tokens[j + 1].text] = true end
      end
      if keeper then check_kept(tokens, body, stop, views, keeper, report) end
    end
  end
end

return rules
