-- SPDX-License-Identifier: Apache-2.0
-- Clocks, and dates as text. Moments are milliseconds since the epoch, as record timestamps are; text is UTC.
--
--   time.now(), time.monotonic()
--   time.format(1700000000123)                    "2023-11-14T22:13:20.123Z"; without the fraction where it is 0
--   time.parse "2023-11-14T23:13:20.5+01:00"      1700000000500; also a date alone, a blank for the T, no zone = UTC
--   time.http_date(1700000000000)                 "Tue, 14 Nov 2023 22:13:20 GMT"
--   time.parse_http(text)                         the same back, and HTTP's two older forms
--
-- parse and parse_http answer nil and the reason for what is no date. Years are 0000 to 9999 of the Gregorian calendar.

local host = require "connect.host.c"

local DAY_MS = 86400000
local MIN, MAX = -62167219200000, 253402300799999 -- 0000-01-01 and the end of 9999
local WEEK = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local MONTH_DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local number_of_month = {}
for i, name in ipairs(MONTHS) do number_of_month[name] = i end

local floor = math.floor

local time = {
  --- Since the epoch, as record timestamps are.
  now = function() return host.wall_ms() end,
  --- For intervals: never jumps.
  monotonic = function() return host.now_ms() end,
}

local function is_leap(year) return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) end

-- Years are counted from March here, so that the leap day is the last of one.
local function days_of(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = floor(year / 400)
  local of_era = year - era * 400
  local of_year = floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + floor(of_era / 4) - floor(of_era / 100) + of_year - 719468
end

local function date_of(days)
  days = days + 719468
  local era = floor(days / 146097)
  local of_era = days - era * 146097
  local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524) - floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
  local m = floor((5 * of_year + 2) / 153)
  local month = m < 10 and m + 3 or m - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, of_year - floor((153 * m + 2) / 5) + 1
end

-- Milliseconds of texts of digits, nil when there is no such moment. 24:00 is none, a leap second is the one after.
local function moment(year, month, day, h, m, s)
  year, month, day, h, m, s = tonumber(year), tonumber(month), tonumber(day), tonumber(h), tonumber(m), tonumber(s)
  if month < 1 or month > 12 or day < 1 or h > 23 or m > 59 or s > 60 then return nil end
  if day > MONTH_DAYS[month] + (month == 2 and is_leap(year) and 1 or 0) then return nil end
  return days_of(year, month, day) * DAY_MS + ((h * 60 + m) * 60 + s) * 1000
end

local function check_moment(ms)
  if type(ms) ~= "number" then error("milliseconds expected, not a " .. type(ms), 3) end
  if not (ms >= MIN and ms <= MAX) then error("a moment of the years 0000 to 9999 is needed", 3) end
  return floor(ms)
end

local function fields_of(ms)
  local days = floor(ms / DAY_MS)
  local rest = ms - days * DAY_MS
  local year, month, day = date_of(days)
  local s = floor(rest / 1000)
  return days, year, month, day, floor(s / 3600), floor(s / 60) % 60, s % 60, rest % 1000
end

--- ISO 8601 text of a moment.
function time.format(ms)
  local _, year, month, day, h, m, s, fraction = fields_of(check_moment(ms))
  local tail = fraction > 0 and (".%03dZ"):format(fraction) or "Z"
  return ("%04d-%02d-%02dT%02d:%02d:%02d%s"):format(year, month, day, h, m, s, tail)
end

--- HTTP's text of a moment, to the second.
function time.http_date(ms)
  local days, year, month, day, h, m, s = fields_of(check_moment(ms))
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(WEEK[(days + 4) % 7 + 1], day, MONTHS[month], year, h, m, s)
end

-- Milliseconds east of Greenwich, nil when it is no zone.
local function zone_of(text)
  if text == "" or text == "Z" or text == "z" then return 0 end
  local sign, h, m = text:match "^([+-])(%d%d):?(%d?%d?)$"
  if not sign or #m == 1 then return nil end
  h, m = tonumber(h), tonumber(m) or 0
  if h > 18 or m > 59 then return nil end
  return (h * 60 + m) * 60000 * (sign == "-" and -1 or 1)
end

local function check_text(text)
  if type(text) ~= "string" then error("a text expected, not a " .. type(text), 3) end
end

--- The moment of an ISO 8601 text; digits beyond milliseconds are dropped.
function time.parse(text)
  check_text(text)
  local year, month, day, rest = text:match "^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$"
  if not year then return nil, "not an ISO 8601 date" end
  local h, m, s, fraction, zone = "0", "0", "0", "", rest
  if rest ~= "" then
    h, m, zone = rest:match "^[Tt ](%d%d):(%d%d)(.*)$"
    if not h then return nil, "not an ISO 8601 time" end
    if zone:find "^:" then
      s, zone = zone:match "^:(%d%d)(.*)$"
      if not s then return nil, "not an ISO 8601 time" end
      if zone:find "^[.,]%d" then fraction, zone = zone:match "^[.,](%d+)(.*)$" end
    end
  end
  local ms, offset = moment(year, month, day, h, m, s), zone_of(zone)
  if not ms or not offset then return nil, "there is no such " .. (ms and "zone" or "moment") end
  return ms + tonumber((fraction .. "000"):sub(1, 3)) - offset
end

-- A year of two digits is the one of that name that is not more than 50 years ahead.
local function whole_year(two)
  local now = select(2, fields_of(floor(host.wall_ms())))
  local year = now - now % 100 + tonumber(two)
  return year > now + 50 and year - 100 or year
end

--- The moment of an HTTP date, in any of its three forms.
function time.parse_http(text)
  check_text(text)
  local day, name, year, h, m, s = text:match "^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if not day then
    day, name, year, h, m, s = text:match "^%a+, (%d%d)-(%a%a%a)-(%d%d) (%d%d):(%d%d):(%d%d) GMT$"
    year = day and whole_year(year)
  end
  if not day then
    name, day, h, m, s, year = text:match "^%a%a%a (%a%a%a) ([ %d]%d) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$"
  end
  local month = number_of_month[name]
  local ms = month and moment(year, month, day, h, m, s)
  if not ms then return nil, "not an HTTP date" end
  return ms
end

return time
