complete --keep-order --exclusive --command segtui --arguments "(SEGTUI_COMPLETE=fish segtui -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
