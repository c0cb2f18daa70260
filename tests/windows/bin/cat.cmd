@node "%~dp0cat.mjs" %*
