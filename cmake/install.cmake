install(TARGETS wsi-segment RUNTIME DESTINATION bin)
