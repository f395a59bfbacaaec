-- SPDX-License-Identifier: Apache-2.0
-- `connect-lua doc`: a plugin's page in Markdown.

local catalogue = require "connect.kit.catalogue"
local files = require "connect.kit.files"
local json = require "connect.json"
local markdown = require "connect.kit.markdown"
local options = require "connect.kit.options"

local HELP = [[
connect-lua doc [--json] FILE | CLASS
    prints what a plugin says of itself in Markdown: doc, configuration and an example. FILE is a plugin's,
    CLASS a bundled one's, as configurations name it: FileStreamSink, Cast, JsonConverter.
connect-lua doc --all DIR
    writes a page for each bundled plugin into DIR, and README.md, which lists them.

--json prints the same as { "class", "kind", "version", "doc", "aliases", "config", ... }.

Exit codes: 0 done, 1 wrong usage, 2 there is no such plugin, or a file cannot be written.
]]

local function fail(text, ...)
  options.complain(text, ...)
  return options.FAILED
end

local function show(what, home, as_json)
  local plugin, why
  if what:find "%.lua$" or what:find "/" then
    plugin, why = catalogue.read(what)
  else
    plugin = catalogue.find(home, what)
    why = ("there is no bundled plugin %s: connect-lua plugins lists them; a file is named by its path"):format(what)
  end
  if not plugin then return fail("%s", why) end
  if as_json then
    plugin.path = nil
    print(json.encode(plugin, { indent = 2 }))
  else
    io.stdout:write(markdown(plugin))
  end
  return options.OK
end

local KINDS = { { "source", "Sources" }, { "sink", "Sinks" }, { "transform", "Transforms" },
  { "predicate", "Predicates" }, { "converter", "Converters" } }

-- connectors/hello/init.lua is hello
local function page_name(path)
  local folder, name = files.split(path)
  return name == "init.lua" and folder:match "[^/]+$" or name:gsub("%.lua$", "")
end

local function write_all(folder, home)
  local made, why = files.make_folder(folder)
  if not made then return fail("%s", why) end
  local list, index = catalogue.bundled(home), { "# Plugins that are bundled with connect-lua" }
  for _, kind in ipairs(KINDS) do
    index[#index + 1] = "\n## " .. kind[2] .. "\n"
    for _, plugin in ipairs(list) do
      if plugin.kind == kind[1] then
        local page = ("%s_%s.md"):format(plugin.kind, page_name(plugin.path))
        local ok, e = files.write(folder .. "/" .. page, markdown(plugin))
        if not ok then return fail("%s", e) end
        index[#index + 1] = ("- [%s](%s): %s"):format(plugin.class:match "[^.]+$", page, plugin.doc)
      end
    end
  end
  local ok, e = files.write(folder .. "/README.md", table.concat(index, "\n") .. "\n")
  if not ok then return fail("%s", e) end
  print(("%d pages in %s"):format(#list, folder))
  return options.OK
end

return function(args, home)
  local given, rest = options.parse(args, { json = true, all = "value" })
  if not given then return options.USAGE end
  if given.help then
    io.stdout:write(HELP)
    return options.OK
  end
  if (given.all and (#rest > 0 or given.json)) or (not given.all and #rest ~= 1) then
    options.complain "usage: connect-lua doc [--json] FILE | CLASS, or doc --all DIR; doc --help says more"
    return options.USAGE
  end
  if given.all then return write_all(given.all, home) end
  return show(rest[1], home, given.json)
end
