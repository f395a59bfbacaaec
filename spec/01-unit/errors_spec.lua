-- SPDX-License-Identifier: Apache-2.0
local errors = require "connect.errors"

describe("connect's errors", function()
  for name, class in pairs { retriable = "retriable", data_error = "data", fatal = "fatal" } do
    it(name .. " raises, alone or inside error", function()
      local _, e = pcall(errors[name], "%d apples", 3)
      assert.same({ class, "3 apples" }, { e.class, e.message })
      assert.equal("3 apples", tostring(e))
      _, e = pcall(function() error(errors[name] "100%") end)
      assert.same({ class, "100%" }, { e.class, e.message })
    end)
  end

  it("are told from other errors without calling into them", function()
    local function boom() error "called" end
    local class, message = errors.parts(setmetatable({}, { __tostring = boom, __index = boom }))
    assert.is_nil(class)
    assert.equal("(error object is a table value)", message)
    assert.same({ nil, "plain" }, { errors.parts "plain" })
  end)

  it("show a NUL, which would end their text", function()
    assert.same({ nil, "1\\02" }, { errors.parts "1\0002" })
    assert.same({ "data", "\\0" }, { errors.parts(errors.new("data", "\0")) })
  end)
end)

describe("an error that C raised", function()
  it("is known by its metatable's name", function()
    local e = setmetatable({ class = "retriable", message = "later" }, { __name = "connect.error" })
    assert.same({ "retriable", "later" }, { errors.parts(e) })
    local _, message = errors.parts(setmetatable({ message = "x" }, { __name = "another" }))
    assert.equal("(error object is a table value)", message)
  end)
end)

describe("what a failed call into C left behind", function()
  local ffi = require "ffi"
  require "spec.helpers.task" -- declares struct spec_err
  ffi.cdef "struct spec_err *cl_ffi_err(void);"

  local function thrown(code, text)
    local err = ffi.C.cl_ffi_err()
    err.code, err.class = code, nil
    ffi.copy(err.msg, text)
    local _, e = pcall(errors.throw_last)
    return e
  end

  it("is the record's fault", function()
    local e = thrown(-12, "Not a number")
    assert.same({ "data", "Not a number" }, { e.class, e.message })
  end)

  it("but ends the task when there is no memory, and says which key gives more", function()
    local e = thrown(-5, "no memory for a value")
    assert.equal("fatal", e.class)
    assert.matches("no memory for a value: .*connect.lua.memory.max.bytes", e.message)
  end)
end)
