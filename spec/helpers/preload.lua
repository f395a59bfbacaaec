-- SPDX-License-Identifier: Apache-2.0
-- Loaded once before all spec files. busted gives each file fresh modules, but the host's
-- may be loaded only once in a state: FFI types keep the first metatable they get.
require "connect"
require "connect.host"
