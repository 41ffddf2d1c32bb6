# SPDX-License-Identifier: Apache-2.0
#
# Says which file to embed is not there, and what to do. Whoever runs it ends the build.
set(advice "")
if(FILE MATCHES "[.](pem|crt)$")
    get_filename_component(folder "${FILE}" DIRECTORY)
    set(advice "To make a self-signed certificate, and its key, for a server reached as NAME:\n\n"
               "    airlift cert --name NAME --out ${folder}\n\n"
               "or copy the certificate that your server is to be trusted by to that path.")
endif()
message("\nCannot embed ${FILE}: no such file.\n" ${advice})
