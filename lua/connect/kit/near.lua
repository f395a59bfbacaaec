-- SPDX-License-Identifier: Apache-2.0
-- The name somebody meant.

-- Edits between two texts; neighbours that changed places are one.
local function distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local new = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j) and 0 or 1
      new[j] = math.min(row[j] + 1, new[j - 1] + 1, row[j - 1] + same)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        new[j] = math.min(new[j], before[j - 2] + 1)
      end
    end
    before, row = row, new
  end
  return row[#b]
end

--- The nearest of names (name -> anything) that is near enough, or nil.
return function(name, names)
  local best, least = nil, math.max(1, math.floor(#name / 3)) + 0.5
  for other in pairs(names) do
    local d = distance(name, other)
    if d < least or d == least and best and other < best then best, least = other, d end
  end
  return best
end
