# cmake -DOUTPUT=FILE -DHEADERS=LIST -P interface_hash.cmake: writes a header with one hash of all the headers that the program and
# libwsi_networks.so must have in common.
set(all "")
foreach(header ${HEADERS})
  file(SHA256 ${header} hash)
  string(APPEND all ${hash})
endforeach()
string(SHA256 hash "${all}")
file(WRITE ${OUTPUT} "#pragma once\n\nnamespace wsi {\ninline constexpr const char* kInterfaceHash = \"wsi-interface ${hash}\";\n}\n")
