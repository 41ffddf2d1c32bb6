# SPDX-License-Identifier: Apache-2.0
#
# What `serve` and `cert` need: libmicrohttpd, and GnuTLS, which is its TLS.
find_package(Threads REQUIRED)
find_path(MICROHTTPD_INCLUDE_DIR microhttpd.h)
find_library(MICROHTTPD_LIBRARY microhttpd)
find_path(GNUTLS_INCLUDE_DIR gnutls/gnutls.h)
find_library(GNUTLS_LIBRARY gnutls)
if(NOT MICROHTTPD_INCLUDE_DIR OR NOT MICROHTTPD_LIBRARY)
    message(FATAL_ERROR "libmicrohttpd is missing: install the package libmicrohttpd-dev")
endif()
if(NOT GNUTLS_INCLUDE_DIR OR NOT GNUTLS_LIBRARY)
    message(FATAL_ERROR "GnuTLS is missing: install the package libgnutls28-dev")
endif()
target_include_directories(airlift SYSTEM PRIVATE ${MICROHTTPD_INCLUDE_DIR} ${GNUTLS_INCLUDE_DIR})
target_link_libraries(airlift PRIVATE ${MICROHTTPD_LIBRARY} ${GNUTLS_LIBRARY} Threads::Threads)
