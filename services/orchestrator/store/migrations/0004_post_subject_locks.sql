-- Turns have taken the place of locks at each processor.
DROP TABLE subject_locks;
