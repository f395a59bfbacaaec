-- SPDX-License-Identifier: Apache-2.0
-- Where the page after an answer is.
local connect = require "connect"
local http_config = require "connect.http_config"
local progress = require "progress"

local M = {}

--- A link in an answer of `base` as a whole URL.
local function resolve(base, link)
  if link:find "^%a[%w+.-]*:" then return link end
  local server = http_config.server(base)
  if link:find "^//" then return server:match "^%a[%w+.-]*:" .. link end
  if link:find "^/" then return server .. link end
  local path = base:match "^[^?#]*"
  if link:find "^%?" then return path .. link end
  if path == server then return server .. "/" .. link end
  return path:match "^.*/" .. link
end
M.resolve = resolve

-- Link: <https://h/items?page=2>; rel="next", <...>; rel="last" (RFC 8288)
local function link_header(res)
  for _, text in ipairs(res:values "Link") do
    for link, parameters in text:gmatch "<([^>]*)>([^<]*)" do
      local rel = parameters:match ';%s*rel%s*=%s*"([^"]*)"' or parameters:match ";%s*rel%s*=%s*([^%s;,]+)"
      if rel and (" " .. rel:lower() .. " "):find(" next ", 1, true) then return link end
    end
  end
end

-- The same server, whatever user stands before its name.
local function is_same_server(a, b)
  local function bare(url) return (http_config.server(url) or ""):lower():gsub("//[^@]*@", "//") end
  return bare(a) == bare(b)
end

--- What is kept of the next page: a URL, a cursor, or a number; nil = there is none. Second: why it cannot be asked.
function M.after(config, state, res, doc, items)
  local mode, link = config["http.paging.mode"], nil
  if mode == "number" then
    if #items == 0 then return nil end
    return (state.page or config["http.paging.first.page"]) + 1
  elseif mode == "link" then
    link = link_header(res)
  elseif mode == "pointer" then
    link = connect.json.pointer(doc, config["http.paging.next.pointer"])
    if link == connect.null or link == false or link == "" then link = nil end
  end
  if not link then return nil end
  local url = mode == "link" or type(link) == "string" and (link:find "^https?://" or link:find "^[/?]")
  if not url then return progress.text(link) end
  url = resolve(res.url, link)
  -- Headers with keys of the API are not for others.
  if not is_same_server(url, config["http.url"]) then return nil, "its next page is on another server" end
  return url
end

return M
