"""What everything stands on: values on the wire, tolerances, a lab's folder, words for verdicts."""
