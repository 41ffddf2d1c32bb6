/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bytes are the host kernel's and as good as those. */
#include "hal/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void hal_random_fill(void *buf, size_t len)
{
    uint8_t *out = buf;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            fprintf(stderr, "linux board: getrandom: %s\n", strerror(errno));
            abort();
        }
        out += got;
        len -= (size_t)got;
    }
}
