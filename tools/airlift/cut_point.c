/* SPDX-License-Identifier: Apache-2.0 */
#include "cut_point.h"

#include <stdint.h>
#include <string.h>

#include "ui.h"

bool cut_point_parse(const char *text, linux_board_cut_t *cut)
{
    char number[32];
    size_t len = strcspn(text, ":");
    uint64_t value;
    if (len == 0 || len >= sizeof(number)) {
        return false;
    }
    memcpy(number, text, len);
    number[len] = '\0';
    if (!ui_parse_number(number, false, UINT64_MAX, &value) || value == 0) {
        return false;
    }
    *cut = (linux_board_cut_t){.mode = LINUX_BOARD_CUT_BEFORE, .operation = value};
    if (text[len] == '\0') {
        return true;
    }
    const char *where = text + len + 1;
    if (strcmp(where, "before") == 0) {
        return true;
    }
    if (strcmp(where, "after") == 0) {
        cut->mode = LINUX_BOARD_CUT_AFTER;
        return true;
    }
    len = strlen(where);
    bool percent = len > 0 && where[len - 1] == '%';
    len -= percent;
    if (len == 0 || len >= sizeof(number)) {
        return false;
    }
    memcpy(number, where, len);
    number[len] = '\0';
    if (!ui_parse_number(number, false, percent ? 100 : UINT32_MAX, &value)) {
        return false;
    }
    cut->mode = percent ? LINUX_BOARD_CUT_INSIDE_PERCENT : LINUX_BOARD_CUT_INSIDE;
    cut->byte = (uint32_t)value;
    return true;
}
