# What runs from any prefix, also after the prefix was moved: the program, the libraries that do not come from
# the system, presets, docs. Libraries found outside the system's folders and the folders with their licences
# are listed in WSI_BUNDLED_LIBRARIES and WSI_BUNDLED_LICENCES (dependencies.cmake); tests/formats/check_install.py
# fails when one is forgotten.
set(doc share/doc/wsi-segment)
set_target_properties(wsi-segment PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
install(TARGETS wsi-segment RUNTIME DESTINATION bin)
if(WSI_NETWORKS)
  set_target_properties(wsi_networks PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(TARGETS wsi_networks LIBRARY DESTINATION lib)
endif()
install(DIRECTORY model/weights/ DESTINATION share/wsi-segment/models FILES_MATCHING PATTERN "*.safetensors")
install(DIRECTORY config/presets DESTINATION share/wsi-segment FILES_MATCHING PATTERN "*.yaml")
install(FILES README.md LICENSE CITATION.cff DESTINATION ${doc})
install(DIRECTORY docs DESTINATION ${doc} FILES_MATCHING PATTERN "*.md" PATTERN measurements EXCLUDE)
foreach(folder ${WSI_BUNDLED_LICENCES})
  string(REGEX MATCH "([^/]+)\\.dist-info" wheel ${folder})
  install(DIRECTORY ${folder}/ DESTINATION ${doc}/licences/${CMAKE_MATCH_1})
endforeach()
# install(FILES) would copy a link without the file it points to.
foreach(library ${WSI_BUNDLED_LIBRARIES})
  install(CODE "file(INSTALL DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib\" TYPE SHARED_LIBRARY FOLLOW_SYMLINK_CHAIN FILES \"${library}\")")
endforeach()
