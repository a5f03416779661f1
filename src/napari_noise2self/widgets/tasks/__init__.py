"""The work that docks ask for, each as a task for another thread. No Qt in most of them."""
