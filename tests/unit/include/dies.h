/* SPDX-License-Identifier: Apache-2.0
 *
 * Misuse that must end the program. */
#ifndef UNIT_DIES_H
#define UNIT_DIES_H

/* Starts this program anew with name as its only argument, as main(2, {program, name}). The test
 * fails unless it ends as after abort(), having printed text. On a board that runs one program at a
 * time the start happens after this run, by whoever runs the board; the verdict is the same. */
void assert_dies_saying(const char *name, const char *text);

#endif
