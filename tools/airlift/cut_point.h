/* SPDX-License-Identifier: Apache-2.0
 *
 * A point at which power is cut, as typed: "N", "N:before", "N:after", "N:K", "N:P%". */
#ifndef AIRLIFT_CUT_POINT_H
#define AIRLIFT_CUT_POINT_H

#include <stdbool.h>

#include "linux_board/state.h"

/* False: text is none. */
bool cut_point_parse(const char *text, linux_board_cut_t *cut);

#endif
