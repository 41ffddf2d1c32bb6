# SPDX-License-Identifier: Apache-2.0
#
# Ends the build: a file to embed is not there.
message("Cannot embed ${FILE}: no such file.")
if(FILE MATCHES "[.](pem|crt)$")
    get_filename_component(folder "${FILE}" DIRECTORY)
    message("  To make a self-signed server certificate (and its key) there, for a server reached as NAME:\n"
            "      airlift cert --name NAME --out ${folder}\n"
            "  or copy the certificate that your server is to be trusted by to that path.")
endif()
message(FATAL_ERROR "build again when the file is there")
