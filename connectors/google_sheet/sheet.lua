-- SPDX-License-Identifier: Apache-2.0
-- A tab of a spreadsheet: https://developers.google.com/sheets/api/reference/rest/v4/spreadsheets.values/get
local connect = require "connect"

local BACKOFF_MS, BACKOFF_MAX_MS = 1000, 60000

local M = {}
local Sheet = {}
Sheet.__index = Sheet

--- 1 for A, 27 for AA.
function M.column_number(letters)
  local n = 0
  for letter in letters:upper():gmatch "%u" do n = n * 26 + letter:byte() - 64 end
  return n
end

local function letters_of(n)
  local out = ""
  while n > 0 do
    out = string.char(65 + (n - 1) % 26) .. out
    n = math.floor((n - 1) / 26)
  end
  return out
end

-- For a part of a URL's path.
local function escaped(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- ------------------------------------------------------------------------ errors

-- What Google says is wrong, or that it says nothing.
local function reason_of(res)
  local answer = res:json()
  if type(answer) ~= "table" then return "status " .. res.status end
  if type(answer.error) == "table" then return tostring(answer.error.message) end -- of the Sheets API
  return ("%s: %s"):format(tostring(answer.error), tostring(answer.error_description)) -- of the token endpoint
end

local REMEDY = {
  [401] = "the token is not taken: is the clock right, is the key still the account's?",
  [403] = "share the sheet with %s (a reader is enough), and enable the Google Sheets API in the account's project",
  [404] = "there is no such spreadsheet: see sheet_id, and that it is shared with %s",
}

-- Raises. What passes by itself is waited for first, as long as Google asks or ever longer: then poll is called again.
local function fail(self, ctx, res, e)
  local passes = not res and e.class == "retriable" or res and (res.status == 429 or res.status >= 500)
  if passes then
    self.backoff = math.min(self.backoff and self.backoff * 2 or BACKOFF_MS, BACKOFF_MAX_MS)
    ctx:sleep(res and res:retry_after() or self.backoff)
    if res then connect.retriable("Google answered %d: %s", res.status, reason_of(res)) end
  end
  if not res then error(e) end
  local remedy = REMEDY[res.status]
  connect.fatal("Google answered %d: %s%s", res.status, reason_of(res),
    remedy and "; " .. remedy:format(self.account.email) or "")
end

-- ----------------------------------------------------------------------- reading

-- Asks once; with a new token when the old one is no longer taken.
local function ask(self, url)
  local res, e
  for _ = 1, 2 do
    local token, refused, failed = self.account:token()
    if not token then return refused, failed, true end
    res, e = connect.http.get(url, { auth = { bearer = token } })
    if not res or res.status ~= 401 then break end
    self.account:forget()
  end
  return res, e
end

-- Below the last row of the tab's grid: Google takes that for an error. The grid grows with the sheet.
local function is_below_grid(res, first_row)
  local rows = res.status == 400 and reason_of(res):match "exceeds grid limits%. Max rows: (%d+)"
  return rows and first_row > tonumber(rows)
end

-- The rows of a range as A2:B101, or 2:101 for all columns.
local function values(self, ctx, first_row, last_row)
  local from, to = letters_of(self.first or 0), letters_of(self.last or 0)
  local range = ("%s%d:%s%d"):format(from, first_row, to, last_row)
  if self.name ~= "" then range = "'" .. self.name:gsub("'", "''") .. "'!" .. range end
  local res, e, no_token = ask(self, self.base .. escaped(range))
  if not no_token and res and is_below_grid(res, first_row) then return {} end
  if not res or not res.ok then fail(self, ctx, res, e) end
  self.backoff = nil
  local answer, why = res:json()
  if type(answer) ~= "table" then connect.retriable("Google's answer cannot be read: %s", tostring(why)) end
  return answer.values or {}
end

--- Rows first to last, counted from 0 below the header; those at the end that hold nothing are left out. Raises what
-- goes wrong.
function Sheet:rows(ctx, first, last)
  return values(self, ctx, self.header + 1 + first, self.header + 1 + last)
end

--- The columns' names, at least `least` of them. One without gets its letters, the second of a name its letters too.
function Sheet:names(ctx, least)
  local header, names, seen = values(self, ctx, self.header, self.header)[1] or {}, {}, {}
  for i = 1, math.max(#header, least) do
    local name = header[i] ~= nil and header[i] ~= "" and tostring(header[i]) or nil
    if not name or seen[name] then name = (name and name .. "_" or "") .. letters_of(i) end
    names[i], seen[name] = name, true
  end
  return names
end

--- first, last: numbers of columns, nil = all of them.
function M.new(config, account, first, last)
  return setmetatable({
    account = account, first = first, last = last, header = config["header.row"], name = config["sheet.name"],
    base = ("%s/v4/spreadsheets/%s/values/"):format((config["base.url"]:gsub("/+$", "")), escaped(config.sheet_id)),
  }, Sheet)
end

return M
