-- SPDX-License-Identifier: Apache-2.0
-- Lua text as a list of tokens { kind, text, line, column }: what rules about the look of a program need. Comments
-- are no tokens. kind is "name", "word" (a keyword), "string" (text: what is inside, escapes as they are), "number"
-- or "op".

local WORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
  while]]):gmatch "%S+" do WORDS[word] = true end

local function long_bracket(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local first = at + #level + 2
  local from, to = text:find("]" .. level .. "]", first, true)
  return first, from and from - 1 or #text, (to or #text) + 1
end

local function quoted(text, at)
  local quote, i = text:sub(at, at), at + 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == "\\" then i = i + 1 elseif c == quote or c == "\n" then break end
    i = i + 1
  end
  return i
end

local OPS = { "...", "..", "==", "~=", "<=", ">=", "::" }

local function operator(text, at)
  for _, op in ipairs(OPS) do
    if text:sub(at, at + #op - 1) == op then return op end
  end
  return text:sub(at, at)
end

-- Kind, text and the position behind; kind nil = a comment.
local function token(text, at)
  local c = text:sub(at, at)
  if text:find("^%-%-", at) then
    local _, _, behind = long_bracket(text, at + 2)
    return nil, nil, behind or text:find("\n", at, true) or #text + 1
  elseif c:find "[%a_]" then
    local name = text:match("^[%w_]+", at)
    return WORDS[name] and "word" or "name", name, at + #name
  elseif c:find "%d" or text:find("^%.%d", at) then
    local number = text:match("^[%w.]+", at)
    return "number", number, at + #number
  elseif c == '"' or c == "'" then
    local stop = quoted(text, at)
    return "string", text:sub(at + 1, stop - 1), stop + 1
  end
  local first, last, behind = long_bracket(text, at)
  if first then return "string", text:sub(first, last), behind end
  local op = operator(text, at)
  return "op", op, at + #op
end

return function(text)
  local out, at, line, line_start = {}, 1, 1, 1
  local function go_to(position)
    for newline in text:sub(at, position - 1):gmatch "()\n" do
      line, line_start = line + 1, at + newline
    end
    at = position
  end
  if text:find "^#" then go_to(text:find("\n", 1, true) or #text + 1) end
  while true do
    go_to(text:find("%S", at) or #text + 1)
    if at > #text then return out end
    local kind, what, behind = token(text, at)
    if kind then out[#out + 1] = { kind = kind, text = what, line = line, column = at - line_start + 1 } end
    go_to(behind)
  end
end
