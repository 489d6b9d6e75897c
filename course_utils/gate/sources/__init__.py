"""Before anything is run: can a lab's files be read, and do they name what there is?

Every finding names the file, the line, and what to do, and all of them are found at once.
"""
