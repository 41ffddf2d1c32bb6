/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui.h"

static bool read_stream(FILE *stream, const char *path, size_t max, uint8_t **data, size_t *len)
{
    size_t size = 65536;
    uint8_t *buffer = malloc(size + 1);

    *len = 0;
    while (buffer != NULL) {
        *len += fread(buffer + *len, 1, size - *len, stream);
        if (ferror(stream)) {
            ui_error("%s: cannot be read: %s", path, strerror(errno));
            free(buffer);
            return false;
        }
        if (*len > max) {
            ui_error("%s: larger than %zu bytes", path, max);
            free(buffer);
            return false;
        }
        if (*len < size) {
            buffer[*len] = '\0';
            *data = buffer;
            return true;
        }
        size *= 2;
        uint8_t *larger = realloc(buffer, size + 1);
        if (larger == NULL) {
            free(buffer);
        }
        buffer = larger;
    }
    ui_error("%s: out of memory", path);
    return false;
}

bool file_read(const char *path, size_t max, uint8_t **data, size_t *len)
{
    bool use_stdin = strcmp(path, "-") == 0;
    FILE *stream = use_stdin ? stdin : fopen(path, "rb");
    bool done;

    if (stream == NULL) {
        ui_error("%s: cannot be opened: %s", path, strerror(errno));
        return false;
    }
    done = read_stream(stream, use_stdin ? "standard input" : path, max, data, len);
    if (!use_stdin) {
        fclose(stream);
    }
    return done;
}

bool file_make_parents(const char *path)
{
    char *copy = strdup(path);
    bool done = copy != NULL;

    for (char *slash = copy != NULL ? strchr(copy + 1, '/') : NULL; done && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
            ui_error("%s: folder cannot be made: %s", copy, strerror(errno));
            done = false;
        }
        *slash = '/';
    }
    free(copy);
    return done;
}

bool file_write(const char *path, const void *data, size_t len)
{
    static const char suffix[] = ".XXXXXX";
    char *temporary;
    FILE *stream = NULL;
    struct stat old;
    int fd;
    bool done;

    if (strcmp(path, "-") == 0) {
        return fwrite(data, 1, len, stdout) == len;
    }
    if (!file_make_parents(path)) {
        return false;
    }
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode)) {
        /* A device or a pipe must not be replaced by a file. */
        stream = fopen(path, "wb");
        done = stream != NULL && fwrite(data, 1, len, stream) == len;
        done = (stream != NULL && fclose(stream) == 0) && done;
        if (!done) {
            ui_error("%s: cannot be written: %s", path, strerror(errno));
        }
        return done;
    }
    temporary = malloc(strlen(path) + sizeof(suffix));
    if (temporary == NULL) {
        ui_error("%s: out of memory", path);
        return false;
    }
    sprintf(temporary, "%s%s", path, suffix);
    fd = mkstemp(temporary);
    if (fd >= 0) {
        mode_t mask = umask(0);

        umask(mask);
        fchmod(fd, 0666 & ~mask);
        stream = fdopen(fd, "wb");
    }
    done = stream != NULL && fwrite(data, 1, len, stream) == len;
    done = (stream != NULL && fclose(stream) == 0) && done;
    done = done && rename(temporary, path) == 0;
    if (!done) {
        ui_error("%s: cannot be written: %s", path, strerror(errno));
        if (fd >= 0) {
            unlink(temporary);
        }
    }
    free(temporary);
    return done;
}
