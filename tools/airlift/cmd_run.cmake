# SPDX-License-Identifier: Apache-2.0
target_link_libraries(airlift PRIVATE linux_board_host sifive_u_host)
