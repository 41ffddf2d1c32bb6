/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers of Mbed TLS come from the board (hal/random.h): PSA asks it directly, the classic
 * entropy module takes it as its only source. */
#include "psa/crypto.h"
#include "mbedtls/entropy.h"

#include "hal/random.h"

/* Declared by entropy_poll.h, which is private to the library. */
int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen);

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen)
{
    (void)data;
    hal_random_fill(output, len);
    *olen = len;
    return 0;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *output, size_t output_size,
                                             size_t *output_length)
{
    (void)context;
    hal_random_fill(output, output_size);
    *output_length = output_size;
    return PSA_SUCCESS;
}
