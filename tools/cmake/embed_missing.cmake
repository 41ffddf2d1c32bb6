# SPDX-License-Identifier: Apache-2.0
#
# Ends the build: a file to embed is not there.
set(advice "")
if(FILE MATCHES "[.](pem|crt)$")
    get_filename_component(folder "${FILE}" DIRECTORY)
    set(advice "To make a self-signed certificate, and its key, for a server reached as NAME:\n\n"
               "    airlift cert --name NAME --out ${folder}\n\n"
               "or copy the certificate that your server is to be trusted by to that path.")
endif()
message(FATAL_ERROR "Cannot embed ${FILE}: no such file.\n\n" ${advice})
