/* SPDX-License-Identifier: Apache-2.0
 *
 * Running other programs. */
#ifndef AIRLIFT_CHILD_H
#define AIRLIFT_CHILD_H

/* Runs argv (searched in PATH, ended by NULL) and waits for it. log: file its stdout goes to, NULL:
 * ours. Ctrl-C goes to it, not to us.
 * Returns its exit status; 128 + signal if a signal ended it; -1 after an error message when it
 * could not be started. */
int child_run(char *const *argv, const char *log);

#endif
