"""The work that docks ask for, each as a task for another thread. No layer, no viewer in here."""
