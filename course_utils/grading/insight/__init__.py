"""What a graded class shows its teachers: where it stands, and what to explain once more.

::

    roll        everybody's verdict and marks, from the journal and the gradebook
    measures    mean, quartiles, correlation; None where there is too little to say
    items       by exercise and by claim: how hard, how telling, hidden ones against public ones
    mistakes    which mistakes are held, by how many, with the hint that they were given
    noticed     reason codes and whose; times
    code        what was handed in ──▶ tokens, without names and layout ──▶ fingerprints
    likeness    whose code is so alike that a person may want to look
    lab_page    all this as one page; course_page: all labs
"""
