-- SPDX-License-Identifier: Apache-2.0
-- What a plugin is granted by name, and which files a config names.
describe("rights", function()
  local rights

  before_each(function()
    local kept = package.loaded["connect.host.rights"]
    package.loaded["connect.host.rights"] = nil
    rights = require "connect.host.rights"
    package.loaded["connect.host.rights"] = kept
  end)

  it("are named by the plugin's file", function()
    rights.set({ "geo:ffi", "geo:io", "pack:os" })
    assert.same({ ffi = true, io = true }, rights.of "/any/where/geo.lua")
    assert.same({ os = true }, rights.of "plugins/pack/init.lua")
    assert.same({}, rights.of "/any/where/other.lua")
  end)

  it("are none for who is not named", function()
    rights.set()
    assert.same({}, rights.of "geo.lua")
    assert.is_false(rights.names "/etc/passwd")
  end)

  it("reach the files that a config names, and what is inside of its folders", function()
    rights.set({}, { file = "/data/in.txt", folder = "/spool/", other = "/spool2", n = 3, empty = "" })
    for _, path in ipairs { "/data/in.txt", "/spool/a", "/spool/a/b..c", "/spool2/x/y" } do
      assert.is_true(rights.names(path), path)
    end
    for _, path in ipairs { "/data/in.txt2", "/data", "/spool/../etc/passwd", "/spool/a/..", "/spool22/x", "", "3" } do
      assert.is_false(rights.names(path), path)
    end
  end)

  it("reach any file where specs run", function() assert.is_true(rights.names "/etc/passwd") end)
end)
