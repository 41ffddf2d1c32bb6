/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOTLOADER_SUPPORT_LOG_LINE_H
#define BOOTLOADER_SUPPORT_LOG_LINE_H

#include "formats/log_line.h"

/* Prints a line that formats/ made through the log. */
void log_line_print(const fmt_log_line_t *line);

#endif
