-- SPDX-License-Identifier: Apache-2.0
-- How far a source over HTTP is: which of an answer's items are new, and what the next offset is.
--
-- A sweep is a call and the pages behind its answer. Only its end moves the offset: items may come newest first, and
-- after a crash between two pages the older ones would else never be asked for again. Until then the state has the
-- greatest offset so far in `high` and the next page in `page`.
--
-- Equal offsets, two rows changed in one millisecond, may come apart. So items with the offset itself count as new
-- unless they were sent: `seen` has short digests of those that were.
local connect = require "connect"

local MAX_SEEN = 100 -- of more items with one offset some may be sent again

local M = {}

--- A JSON value as text; nil for null.
function M.text(x)
  if x == nil or x == connect.null then return nil end
  return type(x) == "string" and x or connect.json.encode(x)
end

-- Numbers by size, whole ones of any length; dates by time; everything else as text.
local function less(a, b)
  if a:find "^%d+$" and b:find "^%d+$" then
    a, b = a:gsub("^0+", ""), b:gsub("^0+", "")
    if #a ~= #b then return #a < #b end
    return a < b
  end
  local x, y = tonumber(a), tonumber(b)
  if not (x and y) then x, y = connect.time.parse(a), connect.time.parse(b) end
  if x and y and x ~= y then return x < y end
  return a < b -- dates may have more digits than milliseconds
end
M.less = less

local function digest(item)
  return connect.crypto.hex(connect.crypto.sha256(connect.json.encode(item))):sub(1, 16)
end

local function set_of(words)
  local set = {}
  for word in (words or ""):gmatch "%S+" do set[word] = true end
  return set
end

--- The items that are new, a list of { item, offset }, and the state behind this page. offset_of(item): text.
-- next_page: nil = the sweep ends here. ordered: false = the last item's offset counts, whatever it is.
function M.advance(state, items, offset_of, next_page, ordered)
  local fresh, high, at_high = {}, state.high or state.offset, {}
  local seen, high_seen = set_of(state.seen), state.high and state.high_seen or state.seen
  for _, item in ipairs(items) do
    local offset = offset_of(item)
    local old = ordered and state.offset
      and (less(offset, state.offset) or offset == state.offset and seen[digest(item)])
    if not old then
      fresh[#fresh + 1] = { item, offset }
      if not ordered or not high or less(high, offset) then
        high, at_high, high_seen = offset, { item }, nil
      elseif offset == high and #at_high < MAX_SEEN then
        at_high[#at_high + 1] = item
      end
    end
  end
  local digests = {}
  for word in (high_seen or ""):gmatch "%S+" do digests[#digests + 1] = word end
  for _, item in ipairs(ordered and at_high or {}) do digests[#digests + 1] = digest(item) end
  high_seen = #digests > 0 and table.concat(digests, " ", math.max(1, #digests - MAX_SEEN + 1)) or nil
  if next_page then
    return fresh, { offset = state.offset, seen = state.seen, high = high, high_seen = high_seen, page = next_page }
  end
  return fresh, { offset = high, seen = high_seen }
end

return M
